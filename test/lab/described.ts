/** What kubectl describe prints for objects of commands.test.ts, by their names there. */
export const DESCRIBED: Readonly<Record<string, string>> = {
  'a service of five': `Name:                     s
Namespace:                default
Labels:                   <none>
Annotations:              <none>
Selector:                 <none>
Type:                     NodePort
IP Families:              <none>
IP:                       10.96.0.1
IPs:                      <none>
Port:                     dns  53/UDP
TargetPort:               dns/UDP
NodePort:                 dns  30053/UDP
Endpoints:                10.0.0.0:53,[fd00::1]:53,10.0.0.2:53 + 2 more...
Session Affinity:         None
External Traffic Policy:  Local
Events:                   <none>
`,
  'a service of three': `Name:                     s
Namespace:                default
Labels:                   <none>
Annotations:              <none>
Selector:                 <none>
Type:                     NodePort
IP Families:              <none>
IP:                       10.96.0.1
IPs:                      <none>
Port:                     dns  53/UDP
TargetPort:               dns/UDP
NodePort:                 dns  30053/UDP
Endpoints:                10.0.0.0:53,[fd00::1]:53,10.0.0.2:53
Session Affinity:         None
External Traffic Policy:  Local
Events:                   <none>
`,
  'a slice': `Name:         s-1
Namespace:    default
Labels:       kubernetes.io/service-name=s
Annotations:  <none>
AddressType:  IPv4
Ports:
  Name  Port  Protocol
  ----  ----  --------
  dns   53    UDP
Endpoints:
  - Addresses:  10.0.0.0
    Conditions:
      Ready:    true
    Hostname:   h
    TargetRef:  Pod/p
    NodeName:   n
    Zone:       z
  - Addresses:  fd00::1
    Conditions:
      Ready:   true
    Hostname:  <unset>
    NodeName:  <unset>
    Zone:      <unset>
Events:        <none>
`,
  'a template': `Pod Template:
  Labels:           a=1
                    b=2
  Annotations:      note: x
  Service Account:  robot
  Containers:
   one:
    Image:       one:1
    Ports:       80/TCP, 53/UDP
    Host Ports:  0/TCP, 5353/UDP
    Command:
      sh
      -c
    Args:
      echo a
      echo b
    Limits:
      cpu:     1
      memory:  170Mi
    Requests:
      cpu:      100m
    Liveness:   http-get https://h:8080/health delay=60s timeout=1s period=10s #success=1 #failure=3
    Readiness:  tcp-socket :53 delay=0s timeout=2s period=5s #success=1 #failure=3
    Startup:    exec [ls -l] delay=0s timeout=1s period=10s #success=2 #failure=7
    Environment:
      A:   b
      IP:   (v1:status.podIP)
    Mounts:
      /a from v2 (ro)
      /b from v1 (rw)
   two:
    Image:        two:2
    Port:         <none>
    Host Port:    <none>
    Liveness:     unknown delay=0s timeout=1s period=10s #success=1 #failure=3
    Environment:  <none>
    Mounts:       <none>
  Volumes:
   v1:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      cm
    Optional:  true
   v2:
    Type:          HostPath (bare host directory volume)
    Path:          /lib
    HostPathType:  Directory
   v3:
    Type:       EmptyDir (a temporary directory that shares a pod's lifetime)
    Medium:     ${''}
    SizeLimit:  <unset>
   v4:
    Type:       EmptyDir (a temporary directory that shares a pod's lifetime)
    Medium:     Memory
    SizeLimit:  1Gi
   v5:
    Type:        Secret (a volume populated by a Secret)
    SecretName:  s
    Optional:    false
   v6:
    Type:               <unknown>
  Priority Class Name:  high
  Node-Selectors:       disk=ssd
  Tolerations:          op=Exists
                        a op=Exists
                        a:NoSchedule op=Exists
                        a=b:NoExecute
                        a=b
`,
  'an empty slice': `Name:         s-1
Namespace:    default
Labels:       kubernetes.io/service-name=s
Annotations:  <none>
AddressType:  IPv4
Ports:
  Name      Port     Protocol
  ----      ----     --------
  <unset>   <unset>  ${''}
Endpoints:  <none>
Events:     <none>
`,
  'an empty template': `Pod Template:
  Labels:  <none>
  Containers: <none>
  Volumes:         <none>
  Node-Selectors:  <none>
  Tolerations:     <none>
`,
};
