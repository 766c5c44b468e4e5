import type { Query, Reply } from '../../chain/index.js';
import type { Edns, EdnsOption } from '../../wire/index.js';
import type { ReplyChange, Rewritten, RewriteRule } from './rule.js';

export const ACTIONS = ['set', 'append', 'replace', 'unset'] as const;
export type EdnsAction = (typeof ACTIONS)[number];

/** The OPT record that a query gets when it has none and needs one for an option. */
const NEW_OPT: Edns = { udpSize: 4096, version: 0, do: false, options: [] };

/** Sets, adds, replaces or takes away an EDNS option of the query. */
export class EdnsRule implements RewriteRule {
  /** The client's options, and whether it sent an OPT record, which shared answers do not look at. */
  readonly dependsOn = 'query';

  /**
   * @param data the option's data for a query; undefined when it cannot be known, then the rule does not fit
   * @param revert whether the option of the reply is changed back
   */
  constructor(
    private readonly action: EdnsAction,
    private readonly code: number,
    private readonly data: (query: Query) => Uint8Array | undefined,
    private readonly revert: boolean,
  ) {}

  rewrite(query: Query): Rewritten | undefined {
    const { code } = this;
    const options = query.ednsOptions;
    if (this.action === 'unset') {
      const others = options.filter((option) => option.code !== code);
      return { query: others.length === options.length ? query : withOptions(query, others), changes: [] };
    }
    const old = options.find((option) => option.code === code);
    if (old === undefined ? this.action === 'replace' : this.action === 'append') return undefined;
    const data = this.data(query);
    if (data === undefined) return undefined;
    const option = { code, data };
    return {
      query: withOptions(
        query,
        old === undefined ? [...options, option] : options.map((other) => (other === old ? option : other)),
      ),
      changes: this.revert ? [new OptionChange(code, old)] : [],
    };
  }
}

const withOptions = (query: Query, options: readonly EdnsOption[]): Query =>
  query.withMessage((message) => ({ ...message, edns: { ...(message.edns ?? NEW_OPT), options } }));

/** Puts the option that a query had back into the reply, or takes away the one that it had not. */
class OptionChange implements ReplyChange {
  constructor(
    private readonly code: number,
    private readonly old: EdnsOption | undefined,
  ) {}

  apply(reply: Reply): Reply {
    const { edns } = reply;
    const found = edns?.options.findIndex((option) => option.code === this.code) ?? -1;
    if (edns === undefined || found < 0) return reply;
    return reply.withEdns({
      ...edns,
      options: edns.options.toSpliced(found, 1, ...(this.old === undefined ? [] : [this.old])),
    });
  }
}
