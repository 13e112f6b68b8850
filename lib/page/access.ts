import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Whether a request may be answered. A page of somebody else's whose name suddenly means 127.0.0.1 (DNS rebinding)
 * comes with that name in `Host`: only addresses, localhost and the name that was asked for are taken.
 */
export function allowedHost({ headers }: IncomingMessage, host: string): boolean {
  const name = hostName(headers.host);
  return name !== null && (name === 'localhost' || isIP(name) !== 0 || name === host.toLowerCase());
}

/** Whether a WebSocket is opened by this very page: browsers let any page open one, but say which. */
export function allowedOrigin({ headers }: IncomingMessage): boolean {
  if (headers.origin === undefined || headers.host === undefined) return false;
  try {
    const { protocol, host } = new URL(headers.origin);
    // A proxy that adds TLS hands on https as the page's protocol.
    return (protocol === 'http:' || protocol === 'https:') && host === headers.host.toLowerCase();
  } catch {
    return false;
  }
}

/** `[::1]:80` → `::1` */
function hostName(host: string | undefined): string | null {
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return null;
  try {
    return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '');
  } catch {
    return null;
  }
}

/** Addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
