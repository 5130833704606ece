import { asStoreError, inspectFile, type StoreFacts } from './database.ts';

/**
 * What a store says of itself, without a lock and without writing. A file that does not exist is no error; one
 * of another origin than the one given, if one is given, is.
 *
 * @throws {StoreError} `STORE_FOREIGN`, `STORE_NEWER`, `STORE_UNUSABLE`, `STORE_ORIGIN`.
 */
export async function inspectStore(path: string, origin?: string): Promise<StoreFacts> {
  try {
    return inspectFile(path, origin);
  } catch (error) {
    throw asStoreError(error, path);
  }
}
