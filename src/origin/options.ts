import type { Option } from '../corefile/index.js';
import type { Logger } from '../lib/log.js';

/** Where the objects of a cluster come from. */
export type Origin =
  | { readonly kind: 'service-account' }
  | {
      readonly kind: 'endpoint';
      readonly url: string;
      readonly tls: { readonly cert: string; readonly key: string; readonly ca: string } | undefined;
    }
  | { readonly kind: 'kubeconfig'; readonly path: string; readonly context: string | undefined }
  | { readonly kind: 'manifests'; readonly paths: readonly string[] };

/** The options that name an origin, as they are written so far. */
export class OriginOptions {
  static readonly NAMES = ['endpoint', 'tls', 'kubeconfig', 'manifests'];
  private endpoint: Option | undefined;
  private tls: Option | undefined;
  private kubeconfig: Option | undefined;
  private files: Option | undefined;

  /** Whether `manifests` is among them. */
  get areManifests(): boolean {
    return this.files !== undefined;
  }

  /** Takes an option, and says whether it is one of these. Throws a CorefileError for arguments that cannot be used. */
  take(option: Option): boolean {
    switch (option.name) {
      case 'endpoint':
        option.argCount(1, Infinity, 'endpoint URL');
        this.endpoint = option;
        return true;
      case 'tls':
        option.argCount(3, 3, 'tls CERT KEY CACERT');
        this.tls = option;
        return true;
      case 'kubeconfig':
        option.argCount(1, 2, 'kubeconfig KUBECONFIG [CONTEXT]');
        this.kubeconfig = option;
        return true;
      case 'manifests':
        option.argCount(1, Infinity, 'manifests PATH...');
        // An environment variable that is set to nothing takes the option out of the Corefile.
        this.files = option.args.some((path) => path !== '') ? option : undefined;
        return true;
      default:
        return false;
    }
  }

  /** Where they lead to; what is of no effect is warned about. Throws a CorefileError for two that exclude each other. */
  origin(log: Pick<Logger, 'warning'>): Origin {
    const { endpoint, tls, kubeconfig, files } = this;
    if (files !== undefined) {
      const other = endpoint ?? kubeconfig ?? tls;
      if (other !== undefined) other.fail('got it together with manifests, allowed: an API or files');
      return { kind: 'manifests', paths: files.args.filter((path) => path !== '') };
    }
    if (kubeconfig !== undefined) {
      if (endpoint !== undefined) log.warning('kubeconfig names the API, endpoint and tls are ignored');
      const [path, context] = kubeconfig.args;
      return { kind: 'kubeconfig', path: path!, context };
    }
    if (endpoint === undefined) {
      if (tls !== undefined) log.warning('tls is ignored without endpoint');
      return { kind: 'service-account' };
    }
    const [url, ...more] = endpoint.args;
    if (more.length > 0) log.warning(`only the first endpoint is used: ${url}`);
    const [cert, key, ca] = tls?.args ?? [];
    return { kind: 'endpoint', url: url!, tls: tls === undefined ? undefined : { cert: cert!, key: key!, ca: ca! } };
  }
}
