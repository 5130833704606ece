/** I8 and I10 of what is logged: so many lines and no more, and never a secret. */
import type { Logger } from '../../../src/ports.ts';
import { plainText, type Trace } from '../trace.ts';
import type { Violations } from './violations.ts';

/** Lines above debug that a minute may have: dozens of streams that fall and rise within it, each with a line or two. */
const LINES_A_MINUTE_MAX = 1_000;
const MINUTE_MS = 60_000;
type Level = 'debug' | 'info' | 'warn' | 'error';

/** A logger of a process that is being listened to. */
export class Listening {
  readonly logger: Logger;
  lines = 0;
  readonly #violations: Violations;
  readonly #secrets: readonly string[];
  #minute = 0;
  #inMinute = 0;

  constructor(trace: Trace, violations: Violations, now: () => number, secrets: readonly string[]) {
    this.#violations = violations;
    this.#secrets = secrets;
    const at = (level: Level) => (message: string, fields?: object) => {
      const text = `${level} ${message}${fields === undefined ? '' : ` ${plainText(fields)}`}`;
      trace.add('log', text);
      this.hear('log', text);
      if (level !== 'debug') this.#count(now(), text);
    };
    this.logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  /** Whatever it says, wherever: an error, a status, a reason. */
  hear(where: string, text: string): void {
    for (const secret of this.#secrets)
      if (text.includes(secret)) this.#violations.add('I10', `a secret in a ${where}`, text.slice(0, 300));
  }

  #count(now: number, text: string): void {
    this.lines += 1;
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#inMinute = 0;
    }
    if (++this.#inMinute === LINES_A_MINUTE_MAX)
      this.#violations.add('I8', `more than ${LINES_A_MINUTE_MAX} lines in a minute`, text.slice(0, 300));
  }
}
