import { expect, it } from 'vitest';
import { inWords, LabError } from './failures.ts';
import { abortError } from './queue.ts';

const kind = (error: unknown) => {
	const said = inWords(error);
	return said instanceof LabError ? said.kind : said.name;
};

it('tells memory that ran out from other errors, whichever engine says it', () => {
	for (const error of [
		new RangeError('Array buffer allocation failed'),
		new RangeError('Invalid typed array length: 4294967296'),
		new RangeError('Invalid array buffer length'),
		new Error('allocation size overflow'),
		new RangeError('Out of memory'),
		new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded: out of memory'),
		new Error('Aborted(OOM). Build with -sASSERTIONS for more info.'),
		new Error('The graphics device reported: Out of memory. | Failed to allocate memory for buffer mapping'),
		new Error('The graphics device reported: Buffer size (2101346304) exceeds the max buffer size limit (268435456).'),
		new Error('Binding size (1050673152) of [Buffer] is larger than the maximum storage buffer binding size (134217728).')
	]) expect([error.message, kind(error)]).toEqual([error.message, 'memory']);
	expect(inWords(new RangeError('Array buffer allocation failed')).message).toBe('This machine has not enough memory (Array buffer allocation failed).');
	expect(kind(new RangeError('The text takes 2000 tokens, but this model was made for at most 1536.'))).toBe('other');
});

it('tells a lost device from a run that was stopped', () => {
	expect(kind(abortError())).toBe('AbortError');
	expect(kind(new DOMException("Failed to execute 'mapAsync' on 'GPUBuffer': [Device] is lost.", 'AbortError'))).toBe('device');
	expect(kind(new DOMException("Failed to execute 'mapAsync' on 'GPUBuffer': A valid external Instance reference no longer exists.", 'AbortError'))).toBe('device');
	expect(kind(new Error('The graphics device reported: device lost: GPU process was reset'))).toBe('device');
});

it('keeps what is said already, and says something of what is no error', () => {
	const said = new LabError('silent', 'Nothing was heard.');
	expect(inWords(said)).toBe(said);
	expect(inWords({ message: 'Make sure the server can serve the .wasm file' }).message).toMatch(/Make sure/);
	expect(inWords('odd').message).toBe('odd');
	expect(kind(Object.assign(new Error('model: expected'), { name: 'DocumentError' }))).toBe('document');
});
