import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { diagnose } from '../insight/doctor/diagnose.js';
import { examine, type FactSources } from '../insight/doctor/examine.js';
import { doctorExitCode, doctorJson, doctorText } from '../insight/doctor/page.js';
import { ipFamily } from '../lib/cidr.js';
import { realClock } from '../lib/clock.js';
import { parseDuration } from '../lib/duration.js';
import { FlagError } from '../lib/go-flags.js';
import type { Milliseconds } from '../lib/units.js';
import { HostNetwork } from '../net/host-network.js';
import { fqdn } from '../wire/index.js';
import type { Command } from './command.js';
import { say } from './say.js';
import { callOf, misused } from './tool.js';
import { DOCTOR } from './tools.js';

/** A program that tells rules has this long. */
const PATIENCE: Milliseconds = 5000;

/** `nodens doctor [SERVER...]`: what is wrong with the DNS of this host. */
export const doctorCommand: Command = async (args, env) => {
  const call = callOf(DOCTOR, args);
  if (typeof call === 'number') return call;
  const { values, rest } = call;
  try {
    if (values.o !== 'text' && values.o !== 'json') throw new FlagError(`-o: got '${values.o}', allowed: text, json`);
    const facts = await examine(hostSources(env.PATH), {
      servers: rest.map(serverOf),
      name: fqdn(values.name!),
      timeout: duration('timeout', values.timeout!),
      watch: duration('watch', values.watch!),
      resolvConf: values['resolv-conf']!,
    });
    const symptoms = diagnose(facts);
    say(values.o === 'json' ? doctorJson(facts, symptoms) : doctorText(facts, symptoms));
    return doctorExitCode(symptoms);
  } catch (error) {
    if (error instanceof FlagError) return misused(DOCTOR, error.message);
    throw error;
  }
};

function serverOf(text: string): { address: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const port = digits === undefined ? 53 : Number(digits);
  if (ipFamily(address) === 0 || port > 65_535)
    throw new FlagError(`got server '${text}', allowed: IP, IP:PORT, [IPV6]:PORT`);
  return { address, port };
}

function duration(name: string, text: string): Milliseconds {
  const value = parseDuration(text);
  if (value === undefined || value < 0)
    throw new FlagError(`-${name}: got '${text}', allowed: a duration such as 2s or 500ms`);
  return value;
}

/** This host. Files that cannot be read, and programs that are not there, count as absent. */
function hostSources(path: string | undefined): FactSources {
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch {
      return undefined;
    }
  };
  return {
    network: new HostNetwork(),
    clock: realClock,
    readFile: (file) => attempt(() => readFileSync(file, 'utf8')),
    list: (folder) => attempt(() => readdirSync(folder)) ?? [],
    run: (program, ...args) => {
      const { status, stdout } = spawnSync(program, args, {
        encoding: 'utf8',
        timeout: PATIENCE,
        env: { PATH: `${path ?? ''}:/usr/sbin:/sbin` },
      });
      return status === 0 ? stdout : undefined;
    },
  };
}
