/** What the lines of a chart mean: each kind by its colour and its dashes, as the drawings have them. */
const KINDS = [
  ['event', '', 'An event moved it'],
  ['after', '6 3', 'A delay ran out'],
  ['done', '', 'A child ended well'],
  ['error', '9 3 2 3', 'A child failed'],
  ['always', '2 3', 'As soon as its guard holds'],
] as const;

/** `isLive`: somebody is in it. */
export function Kinds({ isLive }: { readonly isLive: boolean }) {
  return (
    <ul class="chart-kinds">
      {KINDS.map(([kind, dashes, title]) => (
        <li key={kind} title={title}>
          <svg class={`chart-kind ${kind}`} viewBox="0 0 22 8" width="22" height="8" aria-hidden="true">
            <path d="M0,4H16" stroke-dasharray={dashes} />
            <path class="head" d="M22,4L15,1v6z" />
          </svg>
          {kind}
        </li>
      ))}
      {isLive && (
        <>
          <li title="The states it is in">
            <span class="chart-active" /> active
          </li>
          <li title="The transition taken last">
            <svg class="chart-kind last" viewBox="0 0 22 8" width="22" height="8" aria-hidden="true">
              <path d="M0,4H16" />
              <path class="head" d="M22,4L14,0v8z" />
            </svg>
            taken
          </li>
        </>
      )}
    </ul>
  );
}
