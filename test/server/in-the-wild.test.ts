import { describe, expect, it } from 'vitest';
import { KubeStore } from '../../src/kube/store/store.js';
import { pluginsOver } from '../../src/server/directives.js';
import { Server } from '../../src/server/server.js';
import { CLUSTER as KUBEADM, OPENSHIFT } from '../corefile/production.js';

/** Files that the Corefiles name. */
const FILES: Readonly<Record<string, string>> = {
  '/etc/resolv.conf': 'nameserver 192.0.2.53\nsearch example.test\n',
  '/etc/coredns/zones': 'a folder',
  '/etc/hosts': '127.0.0.1 localhost\n',
  '/etc/coredns/NodeHosts': '192.0.2.7 node-1\n',
  '/etc/coredns/zones/db.apps': '$ORIGIN apps.test.\n@ 3600 SOA ns h 1 3600 300 2419200 300\n@ NS ns\n* A 192.0.2.9\n',
  '/etc/coredns/custom/log.override': 'log\n',
  '/etc/coredns/custom/corp.server': 'corp.test:53 {\n  errors\n  cache 30\n  forward . 192.0.2.1\n}\n',
};
const files = {
  readFile: (path: string): string => {
    const text = FILES[path];
    if (text === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
    return text;
  },
  glob: (pattern: string) => Object.keys(FILES).filter((path) => path.endsWith(pattern.split('*')[1]!)),
  fileInfo: (path: string) => (FILES[path] === undefined ? undefined : { mtime: 0, size: FILES[path].length }),
};

/** `kubernetes` as clusters have it. */
const CLUSTER = `kubernetes cluster.local in-addr.arpa ip6.arpa {
  pods insecure
  fallthrough in-addr.arpa ip6.arpa
  ttl 30
}`;
const env = { KUBERNETES_SERVICE_HOST: '192.0.2.10', KUBERNETES_SERVICE_PORT: '443' };

/** What the clusters and hosts of the world start CoreDNS with, each written anew with the same directives. */
const COREFILES: Readonly<Record<string, string>> = {
  kubeadm: KUBEADM,
  'OpenShift, in the cluster': `corp.test:5353 {
    prometheus 127.0.0.1:9153
    forward . 192.0.2.1 {
      policy random
    }
    errors
    log . {
      class error
    }
    bufsize 1232
    cache 900 {
      denial 9984 30
    }
  }
  ${OPENSHIFT}`,
  'OpenShift, on its nodes': `apps.test:53 {
    root /etc/coredns/zones
    file db.apps
  }
  .:53 {
    bufsize 1232 # as resolvers have agreed
    errors
    bind 127.0.0.1
    health :18080
    forward . /etc/resolv.conf {
      policy sequential
    }
    cache 30
    reload
    template IN A cluster.test {
      match .*[.]apps[.]cluster[.]test
      answer "{{ .Name }} 60 in {{ .Type }} 192.0.2.3"
      fallthrough
    }
    template IN AAAA cluster.test {
      match .*[.]apps[.]cluster[.]test
      fallthrough
    }
    hosts {
      192.0.2.4 api-int.cluster.test api.cluster.test
      fallthrough
    }
  }`,
  'k3s, with files of its own': `.:53 {
    errors
    health
    ready
    ${CLUSTER}
    hosts /etc/coredns/NodeHosts {
      ttl 60
      reload 15s
      fallthrough
    }
    prometheus :9153
    cache 30
    loop
    reload
    loadbalance
    import /etc/coredns/custom/*.override
    forward . /etc/resolv.conf
  }
  import /etc/coredns/custom/*.server`,
  'AKS, that denies what its cloud would leak': `.:53 {
    errors
    ready
    health {
      lameduck 5s
    }
    ${CLUSTER}
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    loadbalance
    import /etc/coredns/custom/*.override
    template ANY ANY cloud.test {
      match "^(?:[^.]+\\.){4,}cloud\\.test\\.$"
      rcode NXDOMAIN
      fallthrough
    }
    template ANY ANY dog.test {
      rcode NXDOMAIN
    }
  }`,
  'NodeLocal DNSCache': `cluster.local:53 {
    errors
    cache {
      success 9984 30
      denial 9984 5
    }
    reload
    loop
    bind 127.0.0.10 127.0.0.11
    forward . 192.0.2.10 {
      force_tcp
    }
    prometheus :9253
    health 127.0.0.10:8080
  }
  .:53 {
    errors
    cache 30
    reload
    loop
    bind 127.0.0.10 127.0.0.11
    forward . /etc/resolv.conf {
      force_tcp
    }
    prometheus :9253
  }`,
  'a chart with autopath and stale answers': `.:53 {
    errors {
      consolidate 5m ".* i/o timeout$" warning
    }
    health {
      lameduck 10s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods verified
      fallthrough in-addr.arpa ip6.arpa
    }
    autopath @kubernetes
    forward . /etc/resolv.conf
    cache {
      prefetch 20
      serve_stale
    }
    loop
    reload
    loadbalance
    prometheus :9153
    log {
      class error
    }
  }`,
  'a filter at home': `. {
    nsid home
    any
    acl {
      allow net 10.0.0.0/8 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16
      block
    }
    bufsize 1232
    hosts {
      reload 0
      fallthrough
    }
    rewrite name prefix _esni. nope.
    forward . tls://192.0.2.1 tls://192.0.2.2 {
      tls_servername filter.test
      health_check 5s
    }
    cache {
      success 4096
      denial  1024
      prefetch 512
    }
    errors
    log
  }`,
  'resolvers with encryption behind one block': `(defaults) {
    log
    errors
  }
  . {
    import defaults
    bind lo
    forward . 127.0.0.1:5301 127.0.0.1:5302 {
      except localhost local
      max_fails 3
      expire 30s
      policy round_robin
    }
    local
    loadbalance round_robin
    cache 60
  }
  .:5301 {
    forward . tls://192.0.2.1%one.test {
      health_check 1h
    }
    cache 600 . {
      success 3000
      denial 500
      prefetch 10 300s
      servfail 10s
    }
  }
  .:5302 {
    forward . tls://192.0.2.2 {
      tls_servername two.test
    }
  }`,
  'clusters behind names of their own': `.:53 {
    errors
    rewrite stop name suffix .two.test .cluster.local answer auto
    rewrite name regex (.*)\\.in\\.test {1}.default.svc.cluster.local answer name (.*)\\.default\\.svc\\.cluster\\.local {1}.in.test
    rewrite stop {
      name regex (.*)\\.foo\\.test {1}.default.svc.cluster.local
      answer name (.*)\\.default\\.svc\\.cluster\\.local {1}.foo.test
    }
    k8s_external example.test {
      headless
    }
    ${CLUSTER}
    metadata
    header {
      response set ra
    }
    dns64 64:ff9b::/96
    minimal
    timeouts {
      read 5s
      write 5s
      idle 20s
    }
    cancel 2s
    multisocket 4
    pprof 127.0.0.1:0
    forward . 192.0.2.1 192.0.2.2 {
      next NXDOMAIN
      failover SERVFAIL REFUSED
      max_connect_attempts 4
    }
    debug
  }`,
};

describe('Corefiles as they are found', () => {
  it.each(Object.entries(COREFILES))('are served: %s', async (_name, corefile) => {
    const warnings: string[] = [];
    const warn = (line: string): void => void warnings.push(line);
    const log = { debug: () => undefined, info: () => undefined, warning: warn, error: warn };
    const network = { interfaces: () => [{ device: 'lo', address: '127.0.0.1', loopback: true }] };
    const server = await Server.create({
      plugins: pluginsOver(new KubeStore()),
      corefile,
      files,
      env,
      log,
      network: network as never,
    });
    expect(server.served.length).toBeGreaterThan(0);
    expect(warnings).toEqual([]);
  });
});
