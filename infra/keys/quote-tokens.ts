import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import type { Quote } from '../../domain/auction/quote.ts';
import { ok, type Result, reject } from '../../domain/errors.ts';
import { epochMs } from '../../domain/time.ts';
import { ISSUER } from './access-tokens.ts';
import type { Signer } from './signer.ts';

const QUOTE_AUDIENCE = 'aivillage-quotes';
const QUOTE_TYPE = 'quote+jwt';
export const MAX_QUOTE_TOKEN_CHARS = 4096;

export interface QuoteTokens {
  /** The quote as a signed token: its id (settled 8). */
  sign(quote: Quote): Promise<string>;
  /**
   * The quote in `token`. A token that we did not sign, or signed for somebody else, is an unknown quote (404);
   * one past its expiry is a conflict (409).
   */
  open(token: string, holder: string): Promise<Result<Quote>>;
  /** The same, however long ago it expired: for what was made of it in time. */
  openExpired(token: string, holder: string): Promise<Result<Quote>>;
}

const unknown = () =>
  reject('RESOURCE_NOT_FOUND', 'no such quote', [{ field: 'quote_id', rule: 'a quote of yours' }]);

export const createQuoteTokens = ({ signer, now }: { signer: Signer; now: () => string }): QuoteTokens => {
  const openAt = async (token: string, holder: string, currentDate: Date): Promise<Result<Quote>> => {
    try {
      const { kid } = decodeProtectedHeader(token);
      const key = kid ? signer.publicKey(kid) : null;
      if (!key) return unknown();
      const { payload } = await jwtVerify<{ quote: Quote }>(token, key, {
        algorithms: ['EdDSA'],
        typ: QUOTE_TYPE,
        issuer: ISSUER,
        audience: QUOTE_AUDIENCE,
        subject: holder,
        requiredClaims: ['exp'],
        currentDate,
      });
      return ok(payload.quote);
    } catch (error) {
      if (error instanceof errors.JWTExpired) {
        return reject('CONFLICT', 'the quote has expired', [
          { field: 'quote_id', rule: 'not past its expires_at' },
        ]);
      }
      return unknown();
    }
  };

  return {
    sign: (quote) =>
      new SignJWT({ quote: { ...quote } })
        .setProtectedHeader({ alg: 'EdDSA', kid: signer.kid, typ: QUOTE_TYPE })
        .setIssuer(ISSUER)
        .setAudience(QUOTE_AUDIENCE)
        .setSubject(quote.issuedTo)
        .setExpirationTime(new Date(quote.expiresAt))
        .sign(signer.privateKey),
    open: (token, holder) => openAt(token, holder, new Date(epochMs(now()))),
    openExpired: (token, holder) => openAt(token, holder, new Date(0)),
  };
};
