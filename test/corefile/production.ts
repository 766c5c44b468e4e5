/** The Corefile of a cluster's CoreDNS as kubeadm writes it. */
export const CLUSTER = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`;

/** The Corefile of a cluster's CoreDNS with the directives that OpenShift's operator writes. */
export const OPENSHIFT = `.:5353 {
    bufsize 1232
    errors
    log . {
        class error
    }
    health {
        lameduck 20s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus 127.0.0.1:9153
    forward . /etc/resolv.conf {
        policy sequential
    }
    cache 900 {
        denial 9984 30
    }
    reload
}
hostname.bind:5353 {
    chaos
}
`;

/** What a node-cache of Kubernetes (CoreDNS 1.13.2) rendered and ran, and the SHA512 that it logged. */
export const NODE_CACHE = `cluster.local:53 {
    errors
    cache {
            success 9984 30
            denial 9984 5
    }
    reload
    loop
    bind 169.254.20.10 10.96.0.10
    forward . 10.96.31.170 {
            force_tcp
    }
    prometheus :9253
    health 169.254.20.10:8080
    }
.:53 {
    errors
    cache 30
    reload
    loop
    bind 169.254.20.10 10.96.0.10
    forward . /etc/resolv.conf
    prometheus :9253
    }
`;
export const NODE_CACHE_SHA512 =
  'c2a33959886c62fd3f6ece4aa8d20f6dee62749837c13a2f37982568c338cd8fcaaf34b94ac2e8793ec1ee652a50764ed65b238802d03257e6b02b4f082259a6';

/**
 * A Corefile as cloud providers and operators compose it: snippets, overrides from a mounted folder, stub domains,
 * rewrites, templates.
 */
export const COMPOSED = `(defaults) {
    errors
    log . {
        class error
    }
    prometheus {$METRICS:0.0.0.0:9153}
}

import custom/*.override

(upstream) {
    forward . {args[:]} {
        max_concurrent 1000
        health_check 5s domain {args[0]}.health.example
        policy sequential
    }
}

cluster.local, 10.96.0.0/15:53 {
    import defaults
    rewrite stop {
        name regex (.*)\\.legacy\\.example {1}.default.svc.cluster.local
        answer name (.*)\\.default\\.svc\\.cluster\\.local {1}.legacy.example
    }
    template ANY AAAA "example.org" {
        match "^(?P<host>[a-z]+)[.]example[.]org[.]$" # \\" stays literal
        rcode NXDOMAIN
        authority "example.org. 60 IN SOA ns.example.org. host.example.org. (1 60 60 60 60)"
        fallthrough
    }
    hosts custom/hosts example.test {
        192.0.2.99 inline.example.test
        ttl 77
        fallthrough
    }
    import upstream 10.0.0.2 10.0.0.3
}

import custom/*.server
`;
