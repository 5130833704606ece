/** Why bars are missing, in the words in which gaps say it: in the store, in events and in logs. */

/** The exchange was asked for them three times over ten seconds at least, and has them not. */
export const EXCHANGE_LACKS = 'the exchange has no such bar';
/** The exchange did not answer for minutes, and later bars could not wait for it. */
export const EXCHANGE_UNREACHED = 'the exchange could not be asked for it';
/** A folder of archive files was read without a network, and has no such bar: the exchange may well have it. */
export const FOLDER_LACKS = 'the archive folder has no such bar, and the exchange was not asked';
/** Archive files alone were allowed, and have no such bar: REST may well have it. */
export const ARCHIVE_LACKS = 'the archive has no such bar, and REST was not asked';

/** The exchange knows the symbol no more, and its archive has no such bar. */
export const EXCHANGE_FORGOT = 'the archive has no such bar, and REST does not know the symbol';
/** The exchange knows the symbol no more, and a folder of archive files has no such bar: the whole archive may have it. */
export const FOLDER_FORGOT = 'the archive folder has no such bar, and REST does not know the symbol';

const SAID_BY_EXCHANGE: ReadonlySet<string> = new Set([EXCHANGE_LACKS, EXCHANGE_FORGOT]);

/** How long the exchange's word that it has not a bar is taken for true before it is worth asking again, exchange ms. */
export const WORD_HOLDS_MS = 86_400_000;

/** Whether a gap rests on what the exchange has said. Whoever names such a gap by another reason adds it above. */
export const isSaidByExchange = (reason: string): boolean => SAID_BY_EXCHANGE.has(reason);
