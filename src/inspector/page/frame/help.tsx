/** Keys, and what the colours mean. A modal dialog of the browser: it keeps the focus, and Escape closes it. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { version } from '../model.ts';

export const isHelpOpen = signal(false);

const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['/', 'search; Escape clears it'],
  ['↑ ↓ PgUp PgDn Home End', 'move in the tree'],
  ['→ ←', 'open, close; to the first below, to the one above'],
  ['Enter', 'show the actor'],
  ['c', 'all charts, and back'],
  ['f', 'fit the chart into its frame'],
  ['↑ ↓ ← → + −', 'with the focus in a chart: move, zoom'],
  ['Shift+← Shift+→ Home End', 'in candles: by twenty bars; oldest, newest'],
  ['p', 'pause the list of transitions'],
  ['t', 'light or dark'],
  ['?', 'this page'],
];

const SIGNS: readonly (readonly [meaning: string, says: string])[] = [
  ['good', 'at work'],
  ['rest', 'nothing to do'],
  ['going', 'on its way: opening, asking, closing'],
  ['warn', 'waits, or is being mended'],
  ['bad', 'the promise is in danger'],
  ['ended', 'ended'],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isHelpOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-label="Help"
      onClose={() => {
        isHelpOpen.value = false;
      }}
      closedby="any"
    >
      <div>
        <h2>Keys</h2>
        <dl>
          {KEYS.map(([keys, does]) => (
            <div key={keys}>
              <dt>
                {keys.split(' ').map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <h2>States</h2>
        <ul class="signs">
          {SIGNS.map(([meaning, says]) => (
            <li key={meaning}>
              <span class={`dot ${meaning}`} aria-hidden="true" />
              {says}
            </li>
          ))}
        </ul>
        <p>
          The page only looks: nothing here changes what the collector does. candlestate {version.value ?? ''}
        </p>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </div>
    </dialog>
  );
}
