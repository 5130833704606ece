/** A store's file in the memory of a simulated world, and how it would be had the power failed a while ago. */
import { DatabaseSync } from 'node:sqlite';
import type { Request } from '../../../src/store/messages.ts';
import { StoreService } from '../../../src/store/service.ts';
import type { Life } from './life.ts';

/** Who writes it; with its life its hold is gone. */
interface Writing {
  readonly life: Life;
}

interface Written {
  readonly at: number;
  readonly request: Request;
}

let copies = 0;

export class MemoryFile {
  #database = new DatabaseSync(':memory:');
  #writing: Writing | undefined;
  /** As it was when the oldest of {@link #since} had not been written. */
  #past = new DatabaseSync(':memory:');
  #pastService = this.#serviceOfPast();
  readonly #since: Written[] = [];

  get database(): DatabaseSync {
    return this.#database;
  }

  /** Takes it for a writer; false while another has it. */
  take(writing: Writing): boolean {
    if (this.isTaken && this.#writing !== writing) return false;
    this.#writing = writing;
    return true;
  }

  release(writing: Writing): void {
    if (this.#writing === writing) this.#writing = undefined;
  }

  get isTaken(): boolean {
    return this.#writing !== undefined && !this.#writing.life.isDead;
  }

  /** Notes that a request has been obeyed; what is older than `pastMs` can't be undone any more. */
  note(request: Request, now: number, pastMs: number): void {
    this.#since.push({ at: now, request });
    this.#catchUp(now - pastMs);
  }

  /** Makes it what it was then. @throws while somebody writes it. */
  goBackTo(time: number): void {
    if (this.isTaken) throw new Error('the power has failed for its writer too: end that life first');
    this.#catchUp(time);
    this.#since.length = 0;
    const name = `file:candlestate-${++copies}?mode=memory&cache=shared`;
    const copy = new DatabaseSync(name);
    this.#past.exec(`VACUUM INTO '${name}'`);
    this.#database.close();
    // The one that was the past is the present now; the copy is what may be gone back to.
    this.#database = this.#past;
    this.#past = copy;
    this.#pastService = this.#serviceOfPast();
  }

  close(): void {
    this.#database.close();
    this.#past.close();
  }

  /** Does to the past what was done to the file up to a time. */
  #catchUp(time: number): void {
    let done = 0;
    for (; (this.#since[done]?.at ?? Number.POSITIVE_INFINITY) <= time; done++) {
      const answer = this.#pastService.answer((this.#since[done] as Written).request);
      if (!answer.ok) throw new Error(`what was written once can't be written again: ${answer.message}`);
    }
    this.#since.splice(0, done);
  }

  #serviceOfPast(): StoreService {
    return new StoreService(() => ({
      database: this.#past,
      walBytes: () => 0,
      assertInPlace() {},
      release() {},
    }));
  }
}
