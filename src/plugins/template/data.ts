import type { Query } from '../../chain/index.js';
import {
  Class,
  Flag,
  Type,
  className,
  formatRr,
  opcodeOf,
  typeName,
  type Message,
  type Name,
  type Question,
  type Rr,
} from '../../wire/index.js';
import { GoStruct, counted, text, type GoValue } from '../../gotemplate/index.js';

/** What a template that matched knows about the query. */
export interface Match {
  readonly zone: Name;
  /** The pattern, and what it matched: the whole and its groups. */
  readonly regex: string;
  readonly groups: readonly string[];
  readonly groupNames: readonly string[];
  readonly class: string;
  readonly type: string;
}

/**
 * The class and type as text: of the query, or of the template where the query asks for any; '' for those without a
 * name.
 */
export function classAndType(
  query: Query,
  templateClass: number,
  templateType: number,
): { class: string; type: string } {
  const asked = query.class === Class.ANY ? templateClass : query.class;
  const type = query.type === Type.ANY ? templateType : query.type;
  return { class: className(asked).replace(/^CLASS\d+$/, ''), type: typeName(type).replace(/^TYPE\d+$/, '') };
}

/** The dot of a template. What costs something is made when a template reads it. */
export function templateData(query: Query, match: Match): GoStruct {
  return new GoStruct(
    'templateData',
    {
      Zone: match.zone,
      Name: query.name,
      Regex: match.regex,
      Match: match.groups,
      Group: () => groupMap(match),
      Class: match.class,
      Type: match.type,
      Message: () => messageValue(query.decode()),
      Question: () => questionValue({ name: query.qname, type: query.type, class: query.class }),
      Remote: query.client.remote.address,
    },
    {
      Meta: counted('Meta', 1, 1, ([name]) => {
        const label = text('Meta', name);
        return query.context.metadata?.get(label) ?? '';
      }),
    },
  );
}

/** Groups by number and, where they have one, by name. */
function groupMap({ groups, groupNames }: Match): ReadonlyMap<string, GoValue> {
  const map = new Map<string, GoValue>(groups.map((group, i) => [String(i), group]));
  groupNames.forEach((name, i) => {
    if (name !== '') map.set(name, groups[i + 1]);
  });
  return map;
}

const questionValue = (question: Question): GoStruct =>
  new GoStruct(
    'dns.Question',
    { Name: question.name, Qtype: BigInt(question.type), Qclass: BigInt(question.class) },
    {},
    () => `;${question.name}\t${className(question.class)}\t ${typeName(question.type)}`,
  );

function messageValue(message: Message): GoStruct {
  const flag = (bit: number): boolean => (message.flags & bit) !== 0;
  const header = {
    Id: BigInt(message.id),
    Response: flag(Flag.QR),
    Opcode: BigInt(opcodeOf(message.flags)),
    Authoritative: flag(Flag.AA),
    Truncated: flag(Flag.TC),
    RecursionDesired: flag(Flag.RD),
    RecursionAvailable: flag(Flag.RA),
    Zero: flag(Flag.Z),
    AuthenticatedData: flag(Flag.AD),
    CheckingDisabled: flag(Flag.CD),
    Rcode: BigInt(message.rcode),
  };
  return new GoStruct('dns.Msg', {
    ...header,
    MsgHdr: new GoStruct('dns.MsgHdr', header),
    Question: message.question.map(questionValue),
    Answer: message.answer.map(recordValue),
    Ns: message.authority.map(recordValue),
    Extra: message.additional.map(recordValue),
  });
}

const recordValue = (record: Rr): GoStruct => {
  const header = {
    Name: record.name,
    Rrtype: BigInt(record.type),
    Class: BigInt(record.class),
    Ttl: BigInt(record.ttl),
    Rdlength: BigInt(record.rdata.length),
  };
  return new GoStruct(
    'dns.RR',
    {},
    { Header: counted('Header', 0, 0, () => new GoStruct('dns.RR_Header', header)) },
    () => formatRr(record),
  );
};
