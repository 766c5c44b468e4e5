import { formatDuration } from '../lib/duration.js';
import type { Plugin } from './contract.js';
import { placeholder, usageOf, type OptionSchema, type PluginOption } from './options.js';

/** The manual page of a plugin in Markdown, from what it says of itself. */
export function manualPage(plugin: Plugin): string {
  const schema = plugin.options ?? {};
  const sections = [
    `# ${plugin.name}`,
    `## Name\n\n*${plugin.name}*${plugin.about === undefined ? '' : ` - ${plugin.about}`}`,
    `## Description\n\n${description(plugin)}`,
    `## Syntax\n\n\`\`\`\n${syntax(plugin.name, schema)}\n\`\`\`${list(schema)}`,
  ];
  if (plugin.example !== undefined)
    sections.push(`## Examples\n\n\`\`\`corefile\n. {\n${indent(plugin.example)}\n}\n\`\`\``);
  return `${sections.join('\n\n')}\n`;
}

function description(plugin: Plugin): string {
  const { at, needs, dependsOn = 'query' } = plugin;
  const place = at === undefined ? 'before *cache*' : 'before' in at ? `before *${at.before}*` : `after *${at.after}*`;
  const asked = {
    question: 'Its answers depend on the question, and are shared.',
    client: "Its answers depend on the client's address too, and are shared among clients of one network.",
    query: 'It is asked for every query, and answers of its server block are not shared.',
  }[dependsOn];
  const needed =
    needs === undefined || needs.length === 0
      ? ''
      : ` It needs ${needs.map((one) => `*${one}*`).join(', ')} in the same server block.`;
  return `It stands ${place} unless the Corefile says otherwise. ${asked}${needed}`;
}

const inBlock = (schema: OptionSchema): [string, PluginOption][] =>
  Object.entries(schema).filter(([, spec]) => spec.argument !== true);

function syntax(name: string, schema: OptionSchema): string {
  const usage = usageOf(name, schema);
  const lines = inBlock(schema).map(([option, spec]) => `    ${option} ${placeholder(spec)}`.trimEnd());
  return lines.length === 0 ? usage : [`${usage} {`, ...lines, '}'].join('\n');
}

function list(schema: OptionSchema): string {
  const lines = Object.entries(schema).map(([name, spec]) => {
    const title =
      spec.argument === true
        ? `**${name.toUpperCase()}**`
        : `\`${name}\` **${placeholder(spec)}**`.replace(' ****', '');
    return `* ${title} ${[spec.about, rule(spec)].filter((text) => text !== undefined && text !== '').join(' ')}`.trimEnd();
  });
  return lines.length === 0 ? '' : `\n\n${lines.join('\n')}`;
}

/** Bounds, default and whether it must be given, in words. */
function rule(spec: PluginOption): string {
  const rules: string[] = [];
  if (spec.required === true) rules.push('It must be given.');
  if ('min' in spec || 'max' in spec) {
    const { min, max } = spec;
    if (min !== undefined && max !== undefined) rules.push(`From ${show(spec, min)} to ${show(spec, max)}.`);
    else if (min !== undefined) rules.push(`At least ${show(spec, min)}.`);
    else if (max !== undefined) rules.push(`At most ${show(spec, max)}.`);
  }
  if ('default' in spec && spec.default !== undefined) rules.push(`Default: ${show(spec, spec.default)}.`);
  if (spec.type === 'zones') rules.push("The server block's own where none is given.");
  return rules.join(' ');
}

const show = (spec: PluginOption, value: number | string): string =>
  spec.type === 'duration' && typeof value === 'number' ? formatDuration(value) : String(value);

const indent = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => `    ${line}`.trimEnd())
    .join('\n');
