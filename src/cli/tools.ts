import type { Tool } from './tool.js';

type ToolFlag = Tool['flags'][number];

/** The running server that is asked, where it is reached by its admin endpoint. */
const SERVER: ToolFlag = {
  name: 'server',
  type: 'string',
  help: 'the -admin of the server: unix:/PATH or 127.0.0.1:PORT',
  default: 'unix:/run/nodens.sock',
};
const TOKEN: ToolFlag = { name: 'token', type: 'string', help: 'file with the -admin.token of the server' };
const PATIENCE: ToolFlag = { name: 'timeout', type: 'duration', help: 'how long the server has', default: '20s' };
const FORM: ToolFlag = { name: 'o', type: 'string', help: 'form of the report: text or json', default: 'text' };

/** The tools that look at a server, at its configuration, or at what it answers. Tables only: help loads no code. */
export const CHECK: Tool = {
  name: 'check',
  words: '[FILE|FOLDER...]',
  about:
    'Judges a Corefile, a ConfigMap that holds one, or a folder of manifests, and names what is wrong or unwise in it, ' +
    'by file and line; opens no socket',
  flags: [
    { name: 'conf', type: 'string', help: 'Corefile or manifests to judge, or stdin', default: 'Corefile' },
    { name: 'as', type: 'string', help: 'judge as for server or node-cache; told from the text where left out' },
    { name: 'o', type: 'string', help: 'form of the report: text, json, sarif or github', default: 'text' },
    { name: 'hints', type: 'bool', help: 'tell also what works and could be better' },
  ],
  exits: '0 nothing found, 1 warnings, 2 faults or a wrong command line',
  page: 'CHECK.md',
};

export const COMPARE: Tool = {
  name: 'compare',
  words: '',
  about:
    'Asks two servers the queries of a recording and tells what they answer otherwise; a server is a Corefile, made ' +
    'within this process, or the address of one that runs',
  flags: [
    {
      name: 'from',
      type: 'string',
      help: 'recording: pcap, pcapng, dnstap, a log of CoreDNS, or a list of names and types',
    },
    {
      name: 'shadow',
      type: 'string',
      help:
        'in place of -from: ask what a server is asked, at its -admin (unix:/PATH or http://127.0.0.1:PORT), or listen ' +
        'for the dnstap stream of a server (PATH or IP:PORT)',
    },
    { name: 'token', type: 'string', help: 'with -shadow: file with the -admin.token of the server' },
    { name: 'old', type: 'string', help: 'Corefile or IP[:PORT] of the server as it is' },
    { name: 'new', type: 'string', help: 'Corefile or IP[:PORT] of the server as it is to be' },
    {
      name: 'rate',
      type: 'string',
      help: 'queries a second, recorded (the pace of the recording), or max',
      default: 'max',
    },
    { name: 'inflight', type: 'int', help: 'queries under way at once', default: '256' },
    { name: 'port', type: 'int', help: 'port to which queries in a capture go', default: '53' },
    { name: 'timeout', type: 'duration', help: 'how long an answer is waited for', default: '2s' },
    { name: 'ttl-slack', type: 'duration', help: 'TTLs that differ by no more are equal', default: '5s' },
    {
      name: 'ignore',
      type: 'string',
      help: 'classes of differences that do not count, separated by commas',
      default: 'order',
    },
    { name: 'examples', type: 'int', help: 'questions that are shown of each class', default: '3' },
    { name: 'sample', type: 'string', help: 'with -shadow: the share of the queries that is asked', default: '1' },
    { name: 'for', type: 'duration', help: 'with -shadow: how long', default: '1m' },
    FORM,
  ],
  exits: '0 no difference, 1 differences, 2 a recording or server that cannot be used, or a wrong command line',
  page: 'COMPARE.md',
};

export const DOCTOR: Tool = {
  name: 'doctor',
  words: '[SERVER...]',
  about:
    'Looks at the DNS of this host: who it asks and what comes back by UDP and TCP, what listens, what the kernel drops; ' +
    'one page, each finding with what it means; changes nothing',
  flags: [
    {
      name: 'name',
      type: 'string',
      help: 'a name that the servers are to resolve',
      default: 'kubernetes.default.svc.cluster.local',
    },
    { name: 'timeout', type: 'duration', help: 'how long an answer is waited for', default: '2s' },
    { name: 'watch', type: 'duration', help: 'how long counters of the kernel are watched', default: '1s' },
    { name: 'resolv-conf', type: 'string', help: 'file with the nameservers', default: '/etc/resolv.conf' },
    FORM,
  ],
  exits: '0 nothing found, 1 warnings, 2 what breaks lookups or a wrong command line',
  page: 'DOCTOR.md',
};

export const EXPLAIN: Tool = {
  name: 'explain',
  words: 'NAME [TYPE]',
  about:
    'Asks a running server what a query becomes and why: which plugins it passes, what the cache knows, what upstreams ' +
    'say and how long they take, and who else gets the answer; nothing is kept of it',
  flags: [
    SERVER,
    TOKEN,
    { name: 'client', type: 'string', help: 'address as whose query it is judged', default: '127.0.0.1' },
    { name: 'tcp', type: 'bool', help: 'as if asked over TCP' },
    PATIENCE,
    {
      name: 'pod',
      type: 'string',
      help: 'NAMESPACE/POD: a whole lookup as that pod makes it, with its resolv.conf, search list and redirects',
    },
    { name: 'libc', type: 'string', help: 'with -pod: glibc, musl or go', default: 'glibc' },
    { name: 'kubeconfig', type: 'string', help: 'with -pod: how to reach the API; else as kubectl, or as a pod' },
    { name: 'cluster-dns', type: 'string', help: "with -pod: the kubelet's clusterDNS, separated by commas" },
    { name: 'cluster-domain', type: 'string', help: "with -pod: the kubelet's clusterDomain" },
    {
      name: 'record',
      type: 'string',
      help: 'in place of a server: file that nodens record, a signal or a crash wrote',
    },
    { name: 'v', type: 'bool', help: 'tell of all plugins, also of those that had no part in it' },
    FORM,
  ],
  exits: '0 there is an answer, 1 there is none, 2 a server that cannot be asked or a wrong command line',
  page: 'EXPLAIN.md',
};

export const KERNEL: Tool = {
  name: 'kernel',
  words: 'status',
  about:
    'Shows what the servers of this host that run with -io kernel answered in the kernel, what they passed up or dropped ' +
    'and why, and how long a run takes; changes nothing',
  flags: [{ name: 'watch', type: 'duration', help: 'how long runs are counted', default: '1s' }, FORM],
  exits: '0 it was shown, 1 the rights are missing, 2 a wrong command line',
  page: 'KERNEL.md',
};

export const RECORD: Tool = {
  name: 'record',
  words: '',
  about:
    'Prints the last queries of a running server that were slow, failed or got stale answers, whole: question, client, ' +
    'plugins, upstreams and times; nodens explain -record FILE tells them in words',
  flags: [
    SERVER,
    TOKEN,
    PATIENCE,
    { name: 'to', type: 'string', help: 'file to write to, with mode 0600; standard output where left out' },
  ],
  exits: '0 it was written, 2 a server that cannot be asked or a wrong command line',
  page: 'RECORD.md',
};

export const TOP: Tool = {
  name: 'top',
  words: '',
  about:
    'Shows who asks a running server, what, and what it costs: clients, names, types, what does not exist, search paths ' +
    'and upstreams; goes on until q on a terminal',
  flags: [
    SERVER,
    TOKEN,
    { name: 'sort', type: 'string', help: 'what rows are put in order by: rate, time or nxdomain', default: 'rate' },
    { name: 'filter', type: 'string', help: 'show only what has this text in its key or pod' },
    { name: 'rows', type: 'int', help: 'rows of each list', default: '20' },
    { name: 'every', type: 'duration', help: 'how often a terminal is renewed', default: '2s' },
    PATIENCE,
    FORM,
  ],
  exits: '0 it was shown, 2 a server that cannot be asked or a wrong command line',
  page: 'TOP.md',
};

export const TOOLS: readonly Tool[] = [CHECK, COMPARE, DOCTOR, EXPLAIN, KERNEL, RECORD, TOP];
