/** Says plainly that the collector is gone, since when, and that what is shown is of then. */
import { connect, retryAt } from '../connection.ts';
import { age, wallTime } from '../format.ts';
import { receivedAt } from '../model.ts';
import { now } from './clock.ts';
import { knownUntil, type Standing, standing } from './standing.ts';

const SPOKEN: Readonly<Record<Standing, string>> = {
  connecting: 'Connecting to the collector.',
  live: 'Connected to the collector.',
  silent: 'The collector is silent.',
  lost: 'The collector is gone.',
};

export function LinkNotice() {
  const at = standing.value;
  return (
    <>
      {/* Always there, so that a change of it is read out; the seconds are not. */}
      <p class="spoken" role="status" aria-live="polite">
        {SPOKEN[at]}
      </p>
      {(at === 'lost' || at === 'silent') && <Notice isSilent={at === 'silent'} />}
    </>
  );
}

function Notice({ isSilent }: { isSilent: boolean }) {
  const since = knownUntil.value;
  const hasHeard = receivedAt.value !== undefined;
  const what = isSilent ? 'The collector is silent' : 'The collector is gone';
  return (
    <div class="notice">
      <strong>{hasHeard ? what : 'The collector does not answer'}</strong>
      <span>
        since {wallTime(since).slice(0, 8)}, for {age(now.value - since)}.
        {hasHeard ? ' What is shown is of then.' : ''}
      </span>
      {!isSilent && (
        <>
          <span class="again">{nextTry()}</span>
          <button type="button" onClick={connect}>
            Try now
          </button>
        </>
      )}
    </div>
  );
}

const nextTry = (): string =>
  retryAt.value === undefined ? 'Trying …' : `Next try in ${age(retryAt.value - now.value)}`;
