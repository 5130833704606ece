/** Whether the promise is being kept, and if not, why: on hover and on focus. */
import type { Strip } from '../../protocol.ts';
import { count } from '../format.ts';

export function Health({ figures }: { figures: Strip }) {
  const reasons = figures.healthy ? [] : reasonsOf(figures);
  return (
    <div class={`cell health ${figures.healthy ? 'good' : 'bad'}`} tabIndex={figures.healthy ? -1 : 0}>
      <span class="label">promise</span>
      <span class="value">
        <span aria-hidden="true">{figures.healthy ? '●' : '✕'}</span>
        {figures.healthy ? 'kept' : 'not kept'}
      </span>
      <span class="hint" role="tooltip">
        {figures.healthy ? (
          'The promise is being kept.'
        ) : (
          <>
            The promise is not being kept:
            <ul>
              {reasons.map((reason) => (
                <li key={reason}>{reason}</li>
              ))}
            </ul>
          </>
        )}
      </span>
    </div>
  );
}

/** As far as the strip tells; which series they are is in `/healthz`. */
export function reasonsOf({ state, streams }: Strip): string[] {
  const { mute = 0, repairing = 0 } = streams;
  const reasons = [
    ...(state === 'streaming' ? [] : [`the collector is ${state}`]),
    ...(mute === 0 ? [] : [`${count(mute)} series mute: traded, and no frames come`]),
    ...(repairing === 0 ? [] : [`${count(repairing)} series owe bars that are being fetched`]),
  ];
  return reasons.length > 0 ? reasons : ['a bar is overdue'];
}
