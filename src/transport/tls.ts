/**
 * Certificates are checked, whatever the environment says (`NODE_TLS_REJECT_UNAUTHORIZED=0`) or the flags of Node allow:
 * who stands in between could invent candles.
 */
export const TLS = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;
