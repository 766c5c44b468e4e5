import {
  Reply,
  Zones,
  lookUp,
  type Found,
  type Handler,
  type Next,
  type Outcome,
  type Query,
} from '../../chain/index.js';
import {
  Class,
  Flag,
  Rcode,
  Type,
  readName,
  type Edns,
  type Rr,
  type Section,
  ExtendedErrorCode,
  explained,
} from '../../wire/index.js';
import { classAndType, templateData, type Match } from './data.js';
import type { GoStruct } from '../../gotemplate/index.js';
import { MatchCounters, type TemplateMetrics } from './metrics.js';
import { RecordError, isTemplateFailure, zonesOfRules, type RecordTemplate, type TemplateRule } from './rule.js';

/**
 * What goes into an answer section: records, or what the server says about an alias's target, which may take a while.
 */
type Part = Rr | Found | undefined | Promise<Found | undefined>;

/** Answers by templates: the first rule whose class, type, zone and pattern fit. */
export class Template implements Handler {
  readonly name = 'template';
  readonly dependsOn = 'question';
  private readonly zones: Zones;
  private readonly matches: MatchCounters;

  /** @param ask asks the server itself, for the targets of aliases */
  constructor(
    private readonly rules: readonly TemplateRule[],
    private readonly ask: Next,
    private readonly metrics: TemplateMetrics,
  ) {
    this.zones = new Zones(zonesOfRules(rules));
    this.matches = new MatchCounters(metrics.matches);
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (!this.zones.contains(query.name)) return next(query);
    for (const rule of this.rules) {
      const zone = rule.zones.match(query.name);
      if (zone === undefined || !fits(rule, query)) continue;
      const match = matchOf(rule, query, zone);
      if (match !== undefined) return this.answer(rule, query, match);
      if (!rule.through.contains(query.name)) return NO_MATCH;
    }
    return next(query);
  }

  private answer(rule: TemplateRule, query: Query, match: Match): Outcome | Promise<Outcome> {
    this.matches.count(query, match.zone, () => match);
    if (rule.rcode === Rcode.SERVFAIL) return Reply.failure(Rcode.SERVFAIL);
    const data = templateData(query, match);
    const sections = { answer: [] as Part[], authority: [] as Rr[], additional: [] as Rr[] };
    for (const template of rule.records) {
      const record = this.record(template, data, query, match);
      if (record instanceof Reply) return record;
      sections[template.section].push(record);
      if (
        template.section === 'answer' &&
        record.type === Type.CNAME &&
        (query.type === Type.A || query.type === Type.AAAA)
      ) {
        sections.answer.push(lookUp(this.ask, query, readName(record.rdata, 0).name, query.type));
      }
    }
    const { answer } = sections;
    if (!answer.some((part) => part instanceof Promise))
      return finish(rule, { ...sections, answer: answer as Settled[] });
    return Promise.all(answer.map((part) => Promise.resolve(part))).then((settled) =>
      finish(rule, { ...sections, answer: settled }),
    );
  }

  /** The record that a template gives, or the failure that its mistake makes of the whole reply. */
  private record(template: RecordTemplate, data: GoStruct, query: Query, match: Match): Rr | Reply {
    try {
      return template.record(data);
    } catch (error) {
      if (!isTemplateFailure(error)) throw error;
      const family = error instanceof RecordError ? this.metrics.rrFailures : this.metrics.templateFailures;
      const { zone, class: className, type } = match;
      family
        .with({
          server: query.client.server.label,
          zone,
          view: query.context.view,
          class: className,
          type,
          section: template.section,
          template: template.text,
        })
        .inc();
      return Reply.failure(Rcode.SERVFAIL, error).withEdns(BROKEN);
    }
  }
}

const NO_MATCH = Reply.failure(Rcode.SERVFAIL).withEdns(
  explained(ExtendedErrorCode.NotAuthoritative, 'no template matches this name'),
);
const BROKEN = explained(ExtendedErrorCode.Other, 'a template makes no record of this name');

type Settled = Rr | Found | undefined;

function finish(
  rule: TemplateRule,
  sections: Record<Exclude<Section, 'answer'>, readonly Rr[]> & { answer: readonly Settled[] },
): Reply {
  const founds = sections.answer.filter((part): part is Found => part !== undefined && 'answer' in part);
  const answer = sections.answer.flatMap((part) => (part === undefined ? [] : 'answer' in part ? part.answer : part));
  const flags = founds.at(-1)?.truncated === true ? Flag.AA | Flag.TC : Flag.AA;
  const edns: Edns | undefined = rule.extendedError && {
    udpSize: 4096,
    version: 0,
    do: true,
    options: [rule.extendedError],
  };
  return Reply.of(flags, rule.rcode, { ...sections, answer }, edns);
}

function fits(rule: TemplateRule, query: Query): boolean {
  if (rule.class !== Class.ANY && query.class !== Class.ANY && query.class !== rule.class) return false;
  return rule.type === Type.ANY || query.type === Type.ANY || query.type === rule.type;
}

function matchOf(rule: TemplateRule, query: Query, zone: string): Match | undefined {
  if (rule.patterns.length === 0)
    return { zone, regex: '.*', groups: [query.name], groupNames: [], ...classAndType(query, rule.class, rule.type) };
  for (const pattern of rule.patterns) {
    const groups = pattern.exec(query.name);
    if (groups !== undefined)
      return {
        zone,
        regex: pattern.source,
        groups,
        groupNames: pattern.groupNames,
        ...classAndType(query, rule.class, rule.type),
      };
  }
  return undefined;
}
