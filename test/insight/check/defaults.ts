import { CLUSTER, OPENSHIFT } from '../../corefile/production.js';

/** Corefiles with the directives that installers and providers write, and what lies beside them. */
export const DEFAULTS: readonly { readonly name: string; readonly files: Readonly<Record<string, string>> }[] = [
  {
    name: 'kubeadm',
    files: {
      Corefile: CLUSTER,
    },
  },
  {
    name: 'k3s',
    files: {
      'coredns.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns
  namespace: kube-system
data:
  Corefile: |
    .:53 {
        errors
        health
        ready
        kubernetes cluster.local in-addr.arpa ip6.arpa {
          pods insecure
          fallthrough in-addr.arpa ip6.arpa
        }
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
    import /etc/coredns/custom/*.server
  NodeHosts: |
    192.0.2.7 node-1
`,
    },
  },
  {
    name: 'kops',
    files: {
      Corefile: `.:53 {
    errors
    health {
      lameduck 5s
    }
    ready
    kubernetes cluster.local. in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
      ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
      max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`,
    },
  },
  {
    name: 'AKS, with a custom server block',
    files: {
      'coredns.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns
  namespace: kube-system
data:
  Corefile: |
    .:53 {
        errors
        ready
        health {
          lameduck 5s
        }
        kubernetes cluster.local in-addr.arpa ip6.arpa {
          pods insecure
          fallthrough in-addr.arpa ip6.arpa
          ttl 30
        }
        prometheus :9153
        forward . /etc/resolv.conf
        cache 30
        loop
        reload
        loadbalance
        import custom/*.override
        template ANY ANY internal.cloudapp.net {
          match "^(?:[^.]+\\\\.){4,}internal\\\\.cloudapp\\\\.net\\\\.$"
          rcode NXDOMAIN
          fallthrough
        }
        template ANY ANY reddog.microsoft.com {
          rcode NXDOMAIN
        }
    }
    import custom/*.server
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns-custom
  namespace: kube-system
data:
  log.override: |
    log . {
        class error
    }
  corp.server: |
    corp.example:53 {
        errors
        cache 30
        forward . 10.0.0.4
    }
`,
    },
  },
  {
    name: 'OpenShift',
    files: {
      Corefile: OPENSHIFT,
    },
  },
  {
    name: 'the node cache of the addon',
    files: { 'Corefile.base': nodeCache('__PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__') },
  },
  {
    name: 'the node cache, filled in by a node',
    files: {
      Corefile: nodeCache('169.254.20.10 10.96.0.10')
        .replaceAll('__PILLAR__DNS__DOMAIN__', 'cluster.local')
        .replaceAll('__PILLAR__CLUSTER__DNS__', '10.96.31.170')
        .replaceAll('__PILLAR__UPSTREAM__SERVERS__', '/etc/resolv.conf')
        .replaceAll('__PILLAR__LOCAL__DNS__', '169.254.20.10'),
    },
  },
];

function nodeCache(bind: string): string {
  const block = (zone: string, cache: string, forward: string, more = ''): string =>
    `${zone}:53 {\n    errors\n    ${cache}\n    reload\n    loop\n    bind ${bind}\n    forward . ${forward}\n    prometheus :9253\n${more}}\n`;
  const cluster = '__PILLAR__CLUSTER__DNS__ {\n        force_tcp\n    }';
  return [
    block(
      '__PILLAR__DNS__DOMAIN__',
      'cache {\n        success 9984 30\n        denial 9984 5\n    }',
      cluster,
      '    health __PILLAR__LOCAL__DNS__:8080\n',
    ),
    block('in-addr.arpa', 'cache 30', cluster),
    block('ip6.arpa', 'cache 30', cluster),
    block('.', 'cache 30', '__PILLAR__UPSTREAM__SERVERS__'),
  ].join('');
}
