import type { Method, ParamSpec } from '$lib/methods/define.ts';
import { methods } from '$lib/methods/registry.ts';
import { onlyOptions, readArguments, UsageError } from './arguments.ts';

function describeParam(name: string, spec: ParamSpec): string {
	const range = spec.kind === 'int' || spec.kind === 'number' ? ` ${spec.min} to ${spec.max}` : spec.kind === 'choice' ? ` ${spec.options.join(', ')}` : '';
	return `    ${name} (${spec.kind}${range}; ${JSON.stringify(spec.default)}): ${spec.about}`;
}

function describe(method: Method): string {
	const params = Object.entries(method.params).map(([name, spec]) => describeParam(name, spec));
	return [`${method.id}: ${method.title}, ${method.subtitle}`, `    ${method.family}. ${method.acts}`, ...params].join('\n');
}

/** All methods, or one, with their parameters, as text or JSON. */
export function describeMethods(args: string[]): string {
	const { words, options } = readArguments(args, ['json']);
	onlyOptions(options, ['json']);
	const [id] = words;
	const wanted = id === undefined ? [...methods.values()] : [methods.get(id)];
	if (!wanted[0]) throw new UsageError(`there is no method "${id}"; there are ${[...methods.keys()].join(', ')}`);
	const list = wanted as Method[];
	if (options.has('json')) {
		return JSON.stringify(list.map(({ id, title, subtitle, family, acts, confidence, ours, params }) => ({ id, title, subtitle, family, acts, confidence, ours, params })));
	}
	return list.map(describe).join('\n\n');
}
