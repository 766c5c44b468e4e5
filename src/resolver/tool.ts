import { parseIp } from '../lib/cidr.js';
import { reverseName, type Name } from '../wire/index.js';
import { Conversation, type ResolverEnv } from './conversation.js';
import { parseResolvConf } from './resolv-conf.js';
import { settingsFor, type ProfileName, type Settings } from './settings.js';
import type { QueryStory } from './story.js';

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
export class Session {
  readonly conversation: Conversation;
  private text = '';

  constructor(readonly env: ToolEnv) {
    this.conversation = new Conversation(env);
  }

  settings(profile: ProfileName): Settings {
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
