import type { Query, Reply } from '../../chain/index.js';
import { Class, Type, encodeName, type Name, type Rr } from '../../wire/index.js';

/** The reply to `asked` as one to `query`: an alias leads from the one name to the other. */
export function answering(query: Query, asked: Query, reply: Reply): Reply {
  const { answer, authority, additional } = reply.messageFor(asked);
  const target = answer.find(({ name }) => name.toLowerCase() !== query.name);
  const led = target === undefined ? answer : [alias(query.qname, target), ...answer];
  return reply.withSections({ answer: led, authority, additional });
}

const alias = (name: Name, { name: target, ttl }: Rr): Rr => ({
  name,
  type: Type.CNAME,
  class: Class.IN,
  ttl,
  rdata: encodeName(target),
});
