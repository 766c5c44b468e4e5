import { Reply, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import { Class, Flag, Rcode, Type, type Name } from '../../wire/index.js';

/** The label under which a certificate authority looks for its proof (RFC 8555 section 8.4). */
export const LABEL = '_acme-challenge.';

/** Answers what a certificate authority asks, while it has an order under way. */
export class Challenges implements Handler {
  readonly name = 'tls';
  readonly role = 'answers';
  readonly dependsOn = 'question';
  private readonly proofs = new Map<Name, Set<string>>();

  /** @param own the names that orders are for, without a wildcard's first label */
  constructor(private readonly own: ReadonlySet<Name>) {}

  /** Has `proof` answered for a name until the returned function is called. */
  put(name: Name, proof: string): () => void {
    const all = this.proofs.get(name) ?? new Set();
    this.proofs.set(name, all.add(proof));
    return () => {
      all.delete(proof);
      if (all.size === 0) this.proofs.delete(name);
    };
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const proofs = query.name.startsWith(LABEL) ? this.proofs.get(query.name.slice(LABEL.length)) : undefined;
    if (proofs === undefined) return next(query);
    if (query.type !== Type.TXT) return Reply.of(Flag.AA, Rcode.NOERROR, {});
    const answer = [...proofs].map((proof) => ({
      name: query.qname,
      type: Type.TXT,
      class: Class.IN,
      // The next order has another one.
      ttl: 0,
      rdata: Buffer.concat([Buffer.from([proof.length]), Buffer.from(proof, 'latin1')]),
    }));
    return Reply.of(Flag.AA, Rcode.NOERROR, { answer });
  }

  /** What others answer between orders must not be given again in one. */
  seesEach({ name }: Query): boolean {
    return name.startsWith(LABEL) && this.own.has(name.slice(LABEL.length));
  }
}
