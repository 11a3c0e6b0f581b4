/**
 * Just enough of the ONNX file format (onnx.proto, IR version 8) to write a decoder: a protobuf
 * message is a list of fields, each a tag and a varint, four bytes or a length and bytes.
 */
export type Field = Uint8Array;

function varint(value: number): number[] {
	const bytes: number[] = [];
	let rest = BigInt.asUintN(64, BigInt(value));
	while (rest > 127n) {
		bytes.push(Number(rest & 127n) | 128);
		rest >>= 7n;
	}
	return [...bytes, Number(rest)];
}

export function message(...fields: Field[]): Uint8Array {
	const whole = new Uint8Array(fields.reduce((sum, field) => sum + field.length, 0));
	let at = 0;
	for (const field of fields) {
		whole.set(field, at);
		at += field.length;
	}
	return whole;
}

export const int = (tag: number, value: number): Field => Uint8Array.from([...varint(tag * 8), ...varint(value)]);

export function bytes(tag: number, value: Uint8Array): Field {
	return message(Uint8Array.from([...varint(tag * 8 + 2), ...varint(value.length)]), value);
}

export const text = (tag: number, value: string): Field => bytes(tag, new TextEncoder().encode(value));

function float(tag: number, value: number): Field {
	return message(Uint8Array.from(varint(tag * 8 + 5)), new Uint8Array(Float32Array.of(value).buffer));
}

/** Codes of TensorProto.DataType. */
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;

/** A whole number, a number with a point, or a list of whole numbers. */
export type Attribute = { int: number } | { float: number } | { ints: number[] };

function attribute(name: string, value: Attribute): Uint8Array {
	if ('int' in value) return message(text(1, name), int(3, value.int), int(20, 2));
	if ('float' in value) return message(text(1, name), float(2, value.float), int(20, 1));
	return message(text(1, name), ...value.ints.map((each) => int(8, each)), int(20, 7));
}

export interface Node {
	op: string;
	/** '' leaves an optional input or output out. */
	inputs: string[];
	outputs: string[];
	attributes?: Record<string, Attribute>;
	/** 'com.microsoft' for operators that onnxruntime adds. */
	domain?: string;
}

export function node({ op, inputs, outputs, attributes = {}, domain = '' }: Node): Uint8Array {
	return message(
		...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name)), text(3, outputs[0]), text(4, op),
		...Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))), text(7, domain)
	);
}

/** A constant that stands in the file. */
export function constant(name: string, type: number, dims: number[], raw: Uint8Array): Uint8Array {
	return message(...dims.map((dim) => int(1, dim)), int(2, type), text(8, name), bytes(9, raw));
}

/** A constant in a second file, at `offset`. */
export function external(name: string, dims: number[], file: string, offset: number, length: number): Uint8Array {
	const entry = (key: string, value: string) => bytes(13, message(text(1, key), text(2, value)));
	return message(
		...dims.map((dim) => int(1, dim)), int(2, FLOAT), text(8, name),
		entry('location', file), entry('offset', String(offset)), entry('length', String(length)), int(14, 1)
	);
}

/** An input or output; a name in `dims` is an axis of any length. */
export function value(name: string, type: number, dims: (number | string)[]): Uint8Array {
	const shape = message(...dims.map((dim) => bytes(1, typeof dim === 'number' ? int(1, dim) : text(2, dim))));
	return message(text(1, name), bytes(2, bytes(1, message(int(1, type), bytes(2, shape)))));
}

export interface Graph {
	nodes: Uint8Array[];
	constants: Uint8Array[];
	inputs: Uint8Array[];
	outputs: Uint8Array[];
}

/** A model of the standard operators (opset 21) and of onnxruntime's own. */
export function model({ nodes, constants, inputs, outputs }: Graph): Uint8Array {
	const opset = (domain: string, version: number) => bytes(8, message(text(1, domain), int(2, version)));
	const graph = message(
		...nodes.map((each) => bytes(1, each)), text(2, 'decoder'), ...constants.map((each) => bytes(5, each)),
		...inputs.map((each) => bytes(11, each)), ...outputs.map((each) => bytes(12, each))
	);
	return message(int(1, 8), text(2, 'winnow-bench'), bytes(7, graph), opset('', 21), opset('com.microsoft', 1));
}
