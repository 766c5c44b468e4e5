/** What came from an upstream and was not the answer to a question that waits. Counts since the start. */
export interface ExchangeStats {
  /** Under an id that nobody waits for: late, repeated or forged. */
  strays: number;
  /** Under the right id, with another question. */
  mismatches: number;
  /** The right question, but its name not in the case that was drawn for it. */
  respelt: number;
  /** The right question, without the cookie that the query had, of an upstream that has cookies. */
  cookieless: number;
  /** No DNS message, or one that breaks the format. */
  malformed: number;
}

export const newStats = (): ExchangeStats => ({ strays: 0, mismatches: 0, respelt: 0, cookieless: 0, malformed: 0 });
