import { parseIp } from '../../lib/cidr.js';
import { Type, fqdn, isName, reverseName, type Name } from '../../wire/index.js';
import { families } from '../libc/addresses.js';
import type { BindServer } from './bind.js';
import { Conversation, type ResolverEnv } from '../conversation.js';
import { Glibc } from '../libc/glibc.js';
import { parseResolvConf } from '../conf/resolv-conf.js';
import { settingsFor, type ProfileName, type ResolverSettings } from '../conf/settings.js';
import type { QueryStory } from '../story.js';

/** Where a program runs: its network, time, randomness, and the text of its /etc/resolv.conf. */
export interface ToolEnv extends ResolverEnv {
  readonly resolvConf: string;
  /** Letters of the zone that the clock's wall time is shown in; UTC when left out. */
  readonly timeZone?: string;
}

/** What a program printed, its exit code, and the queries it sent. */
export interface ToolRun {
  readonly text: string;
  readonly exitCode: number;
  readonly queries: readonly QueryStory[];
}

/** A program that is running: what it has printed so far. */
export class ToolProcess {
  readonly conversation: Conversation;
  private text = '';

  constructor(readonly env: ToolEnv) {
    this.conversation = new Conversation(env);
  }

  settings(profile: ProfileName): ResolverSettings {
    return settingsFor(profile, parseResolvConf(this.env.resolvConf));
  }

  print(text: string): void {
    this.text += text;
  }

  line(text = ''): void {
    this.text += `${text}\n`;
  }

  done(exitCode: number): ToolRun {
    return { text: this.text, exitCode, queries: this.conversation.queries };
  }
}

/** The reverse name of a textual address; undefined for other text. */
export function reverseOf(text: string): Name | undefined {
  const ip = parseIp(text);
  return ip && reverseName(ip);
}

/**
 * The servers that a word on the command line names: an address itself, or all addresses of a name, which the C
 * library looks up. undefined, after
 * a line that says so, where there are none.
 */
export async function serversOf(
  session: ToolProcess,
  program: string,
  word: string,
  port: number,
): Promise<BindServer[] | undefined> {
  if (parseIp(word) !== undefined) return [{ address: word, port, label: word }];
  const have = families(session.env.network);
  const types = [...(have.ipv4 ? [Type.A] : []), ...(have.ipv6 ? [Type.AAAA] : [])];
  const { addresses } = await new Glibc(session.conversation, session.settings('glibc')).lookup(word, types);
  if (addresses.length > 0) return addresses.map((address) => ({ address, port, label: word }));
  session.line(`${program}: couldn't get address for '${word}': not found`);
  return undefined;
}

/** Why a text cannot be a name, in BIND's words; undefined where it can. */
export function whyNoName(text: string): string | undefined {
  if (isName(text) && isName(fqdn(text))) return undefined;
  if (/^\.|\.\./.test(text)) return 'empty label';
  if (text.split('.').some((label) => label.length > 63)) return 'label too long';
  return text.length > 253 ? 'ran out of space' : 'bad escape';
}

/** Why a text is no number from 0 to `most`, in BIND's words; undefined where it is one. */
export function whyNoNumber(text: string, most: number): string | undefined {
  if (!/^\d+$/.test(text)) return 'not a valid number';
  return Number(text) > most ? 'out of range' : undefined;
}
