/**
 * The error classes. Each has a `code` that programs may switch on, says whether trying again may help
 * (`retryable`), and keeps what was behind it as `cause`.
 */
export class CandlestateError extends Error {
  readonly code: string;
  /** Whether the same call may succeed later without anything being changed. */
  readonly retryable: boolean;

  constructor(message: string, detail: { code: string; retryable?: boolean; cause?: unknown }) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = new.target.name;
    this.code = detail.code;
    this.retryable = detail.retryable ?? false;
  }
}

/** One thing that is wrong with the configuration. */
export interface ConfigurationIssue {
  /** The option's path, as `symbols[1]`. */
  readonly option: string;
  /** What was given, printable; secrets are masked. */
  readonly given: string;
  /** What is allowed. */
  readonly allowed: string;
}

/** Options that can't work. Lists every issue; `code` is `CONFIGURATION`. Nothing was opened. */
export class ConfigurationError extends CandlestateError {
  readonly issues: readonly ConfigurationIssue[];

  constructor(issues: readonly ConfigurationIssue[], cause?: unknown) {
    const lines = issues.map((issue) => `${issue.option}: ${issue.given} is not allowed; ${issue.allowed}`);
    super(`wrong configuration: ${lines.join(' | ')}`, { code: 'CONFIGURATION', cause });
    this.issues = issues;
  }

  /** The first option that is wrong. */
  get option(): string | undefined {
    return this.issues[0]?.option;
  }
}

/**
 * What was asked for could not be had. Codes: `CONNECT_TIMEOUT`, `STOPPED` (stopped before it streamed, or before the
 * history was there), `ABORTED` (by the caller's signal), `STOPPING` (asked for while it was stopping), `NOT_STARTED`
 * (asked of an embedded exchange that does not run), `COMPONENT_FAILED`.
 */
export class ConnectionError extends CandlestateError {
  constructor(
    message: string,
    detail: {
      code: 'CONNECT_TIMEOUT' | 'STOPPED' | 'ABORTED' | 'STOPPING' | 'NOT_STARTED' | 'COMPONENT_FAILED';
      cause?: unknown;
    },
  ) {
    super(message, { ...detail, retryable: true });
  }
}

/**
 * The store can't be used. Codes: `STORE_LOCKED` (another writer holds it), `STORE_ORIGIN` (made from another
 * network), `STORE_FOREIGN` (no candlestate store), `STORE_UNUSABLE` (can't be opened or created),
 * `STORE_FAILED` (the machine has no room, memory or file descriptors left for it), `STORE_NEWER` (made by a newer
 * version), `STORE_WRITER_GONE`, `STORE_WRITE`, `STORE_REPLACED` (its file was removed or replaced), `STORE_DAMAGED`
 * (what is read from it is not in order), `STORE_CLOSED`.
 */
export class StoreError extends CandlestateError {}

/** An answer of the exchange that is not the one asked for. `code` is the exchange's own, or `HTTP_<status>`. */
export class ExchangeError extends CandlestateError {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** How long the exchange is to be left alone, ms; 0 when it does not say. */
  readonly retryAfterMs: number;

  constructor(
    message: string,
    detail: { code: string; status: number; retryable: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, detail);
    this.status = detail.status;
    this.retryAfterMs = detail.retryAfterMs ?? 0;
  }
}

/**
 * An archive file that may not be read, and from which nothing was taken. Codes: `ARCHIVE_CHECKSUM` (its bytes are not
 * those of its checksum, or there is none), `ARCHIVE_ZIP` (no zip file, or a damaged one), `ARCHIVE_ENTRY` (not exactly
 * the one entry that it should hold), `ARCHIVE_TOO_LARGE` (more than such a file can hold), `ARCHIVE_CSV` (what is in
 * it are no klines), `ARCHIVE_UNWRITABLE` (there is no room for it, not even in the folder for temporary files).
 */
export class ArchiveError extends CandlestateError {}

/** A consumer fell behind its bounded queue and there is no store to catch up from. */
export class ConsumerLaggedError extends CandlestateError {
  constructor(dropped: number) {
    super(
      `the consumer fell ${dropped} candles behind; read faster, raise queueSize, or give the collector a store`,
      { code: 'CONSUMER_LAGGED', retryable: true },
    );
  }
}
