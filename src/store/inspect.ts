import { asStoreError, inspectFile, type StoreFacts } from './database.ts';

/**
 * What a store says of itself, without a lock and without writing. A file that does not exist is no error.
 *
 * @throws {StoreError} `STORE_FOREIGN`, `STORE_NEWER`, `STORE_UNUSABLE`.
 */
export async function inspectStore(path: string): Promise<StoreFacts> {
  try {
    return inspectFile(path);
  } catch (error) {
    throw asStoreError(error, path);
  }
}
