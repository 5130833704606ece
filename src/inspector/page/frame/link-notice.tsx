/** Says plainly that the collector is gone, since when, and that what is shown is of then. */
import { connect, retryAt } from '../connection.ts';
import { age, wallTime } from '../format.ts';
import { heardAt, link, linkSince } from '../model.ts';
import { now } from './clock.ts';

export function LinkNotice() {
  const isLost = link.value === 'lost';
  const isFirst = heardAt.value === undefined;
  return (
    <>
      {/* Always there, so that a change of it is read out; the seconds are not. */}
      <p class="spoken" role="status" aria-live="polite">
        {link.value === 'open' ? 'Connected to the collector.' : isLost ? 'The collector is gone.' : ''}
      </p>
      {isLost && (
        <div class="notice">
          <strong>{isFirst ? 'The collector does not answer' : 'The collector is gone'}</strong>
          <span>
            since {wallTime(linkSince.value).slice(0, 8)}, {age(now.value - linkSince.value)}.
            {isFirst ? '' : ' What is shown is of then.'}
          </span>
          <span class="again">{nextTry()}</span>
          <button type="button" onClick={connect}>
            Try now
          </button>
        </div>
      )}
    </>
  );
}

const nextTry = (): string =>
  retryAt.value === undefined ? 'Trying …' : `Next try in ${age(retryAt.value - now.value)}`;
