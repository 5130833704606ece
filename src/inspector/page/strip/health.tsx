/** Whether the promise is being kept, and if not, why: on hover and on focus. */
import type { Strip } from '../../protocol.ts';
import { reasonsOf } from './reasons.ts';

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
