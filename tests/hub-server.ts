/** A hub on this machine that holds nano as winnow/nano, answers ranges, and can be told to hold a file back. */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const NANO = new URL('../static/models/nano/', import.meta.url);
const FILES = ['config.json', 'tokenizer.json', 'model.safetensors'];
const COMMIT = 'c0ffee1234567890';
export const NANO_BYTES = FILES.reduce((sum, file) => sum + statSync(new URL(file, NANO)).size, 0);

export interface Hub {
	address: string;
	/** Requests for the weights: the byte from which they were asked. */
	asked: number[];
	/** The next request for the weights stops after so many bytes. */
	holdAfter(bytes: number): void;
	/** What is held back goes on. */
	release(): void;
	close(): Promise<void>;
}

export async function startHub(): Promise<Hub> {
	const asked: number[] = [];
	let hold = Infinity;
	let held: (() => void)[] = [];
	const server = createServer((request, response) => {
		const path = new URL(request.url ?? '/', 'http://hub').pathname;
		const cors = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*', 'access-control-allow-headers': '*' };
		for (const [name, value] of Object.entries(cors)) response.setHeader(name, value);
		if (request.method === 'OPTIONS') return void response.end();
		if (path.startsWith('/api/models/winnow/nano/revision/')) {
			return json(response, { _id: '1', id: 'winnow/nano', sha: COMMIT, private: false, gated: false, downloads: 0, likes: 0, lastModified: '2025-01-01T00:00:00.000Z' });
		}
		if (path === `/api/models/winnow/nano/tree/${COMMIT}`) {
			return json(response, FILES.map((file) => ({ type: 'file', path: file, oid: 'x', size: statSync(new URL(file, NANO)).size })));
		}
		const file = FILES.find((name) => path === `/winnow/nano/resolve/${COMMIT}/${name}`);
		if (!file) return void response.writeHead(404).end();
		const { size } = statSync(new URL(file, NANO));
		const range = /^bytes=(\d+)-/.exec(request.headers.range ?? '');
		const from = range ? Number(range[1]) : 0;
		response.writeHead(range ? 206 : 200, {
			etag: '"1"', 'content-length': size - from, ...(range ? { 'content-range': `bytes ${from}-${size - 1}/${size}` } : {})
		});
		if (file !== 'model.safetensors') return void createReadStream(new URL(file, NANO), { start: from }).pipe(response);
		asked.push(from);
		const bytes = readFileSync(new URL(file, NANO)).subarray(from);
		const now = Math.min(hold, bytes.length);
		hold = Infinity;
		response.write(bytes.subarray(0, now));
		if (now === bytes.length) response.end();
		else held.push(() => response.end(bytes.subarray(now)));
	});
	await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
	return {
		address: `http://localhost:${(server.address() as AddressInfo).port}`, asked,
		holdAfter: (bytes) => (hold = bytes),
		release: () => held.splice(0).forEach((go) => go()),
		close: () => {
			held = [];
			server.closeAllConnections();
			return new Promise((resolve) => server.close(() => resolve()));
		}
	};
}

function json(response: ServerResponse, value: unknown): void {
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify(value));
}
