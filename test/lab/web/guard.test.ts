import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../src/lab/web/guard.js';

const HOST = '127.0.0.1:15300';
const JSON_TYPE = 'application/json';
const READ = ['GET', 'HEAD'];
const RUN = ['POST'];

describe('a request that may be served', () => {
  it.each([
    {
      name: 'a browser that opens the page',
      method: 'GET',
      headers: { host: HOST, 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' },
      methods: READ,
    },
    {
      name: 'a link that was followed to the page',
      method: 'GET',
      headers: { host: HOST, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      methods: READ,
    },
    {
      name: 'the page itself',
      method: 'POST',
      headers: { host: HOST, origin: `http://${HOST}`, 'sec-fetch-site': 'same-origin', 'content-type': JSON_TYPE },
      methods: RUN,
    },
    {
      name: 'curl',
      method: 'POST',
      headers: { host: HOST, 'content-type': 'application/json; charset=utf-8' },
      methods: RUN,
    },
    {
      name: 'localhost behind a tunnel',
      method: 'GET',
      headers: { host: 'LOCALHOST:8080', origin: 'http://localhost:8080' },
      methods: READ,
    },
    { name: 'IPv6', method: 'GET', headers: { host: '[::1]:15300' }, methods: READ },
  ])('$name', ({ method, headers, methods }) => expect(refusalOf({ method, headers }, methods)).toBeUndefined());
});

describe('a request that is refused', () => {
  it.each([
    {
      name: 'a name that was pointed here (rebinding)',
      method: 'GET',
      headers: { host: 'evil.example:15300' },
      methods: READ,
      status: 421,
      error: 'Host: got "evil.example:15300", allowed: 127.0.0.1, localhost, [::1]',
    },
    {
      name: 'a name that begins like ours',
      method: 'GET',
      headers: { host: '127.0.0.1.evil.example' },
      methods: READ,
      status: 421,
      error: 'Host: got "127.0.0.1.evil.example"',
    },
    { name: 'no host', method: 'GET', headers: {}, methods: READ, status: 421, error: 'Host: got ""' },
    {
      name: 'a page of another origin',
      method: 'POST',
      headers: { host: HOST, origin: 'https://evil.example', 'content-type': JSON_TYPE },
      methods: RUN,
      status: 403,
      error: `Origin: got "https://evil.example", allowed: http://${HOST}`,
    },
    {
      name: 'a page of another local port',
      method: 'POST',
      headers: { host: HOST, origin: 'http://127.0.0.1:3000', 'content-type': JSON_TYPE },
      methods: RUN,
      status: 403,
      error: 'Origin: got "http://127.0.0.1:3000"',
    },
    {
      name: 'a sandboxed page',
      method: 'POST',
      headers: { host: HOST, origin: 'null', 'content-type': JSON_TYPE },
      methods: RUN,
      status: 403,
      error: 'Origin: got "null"',
    },
    {
      name: 'a picture of another page',
      method: 'GET',
      headers: { host: HOST, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
      methods: READ,
      status: 403,
      error: 'Sec-Fetch-Site: got "cross-site", allowed: same-origin',
    },
    {
      name: 'a form of another page',
      method: 'POST',
      headers: { host: HOST, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'content-type': JSON_TYPE },
      methods: RUN,
      status: 403,
      error: 'Sec-Fetch-Site',
    },
    {
      name: 'another method',
      method: 'DELETE',
      headers: { host: HOST },
      methods: READ,
      status: 405,
      error: 'method: got DELETE, allowed: GET, HEAD',
    },
    {
      name: 'a command by GET',
      method: 'GET',
      headers: { host: HOST },
      methods: RUN,
      status: 405,
      error: 'method: got GET, allowed: POST',
    },
    {
      name: 'a body that forms can send',
      method: 'POST',
      headers: { host: HOST, 'content-type': 'text/plain' },
      methods: RUN,
      status: 415,
      error: 'Content-Type: got "text/plain", allowed: application/json',
    },
    {
      name: 'a body of no type',
      method: 'POST',
      headers: { host: HOST },
      methods: RUN,
      status: 415,
      error: 'Content-Type: got ""',
    },
  ])('$name', ({ method, headers, methods, status, error }) => {
    expect(refusalOf({ method, headers }, methods)).toEqual({ status, error: expect.stringContaining(error) });
  });
});
