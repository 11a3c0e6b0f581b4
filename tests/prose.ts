/** Finds words for the reader that stand in code instead of in src/lib/ui/words. */
import { parse } from 'svelte/compiler';

export interface Prose {
	line: number;
	text: string;
}

/** Attributes, component properties and fields of objects whose strings are read by people. */
const READ = /^(aria-(label|valuetext|description|roledescription|placeholder)|title|placeholder|alt|label|text|what|note|summary|description|caption|columns|does|finding|presenterTitle|status)$/;
/** Attributes that hold no words, whatever they look like. */
const LOOKS = /^(class|style|d|transform|viewBox|fill|stroke|stroke-dasharray|points|rel|href|src|generics|style:.*)$/;
/** Methods that take a selector. */
const SELECTS = /^(matches|closest|querySelector|querySelectorAll)$/;
/** Units that every language writes so. */
const UNITS = new Set(['kB', 'MB', 'GB', 'ms', 'px', 'fp']);

const letters = (text: string): boolean => (text.match(/\p{L}{2,}/gu) ?? []).some((word) => !UNITS.has(word));
const words = (text: string): boolean => /\p{L}{2,}[,.:;!?’”]?\s+\p{L}{2,}/u.test(text);

type Node = { type: string; start: number } & Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** Prose in a component. Bare text counts from two letters on, a string in code from two words on, unless a field says that it is read. */
export function proseInSvelte(source: string): Prose[] {
	const found: Prose[] = [];
	const line = (at: number) => source.slice(0, at).split('\n').length;
	const tell = (node: Node, text: string) => found.push({ line: line(node.start), text: text.trim() });

	/** `read`: strings here are for the reader. */
	function visit(node: Node, read: boolean): void {
		switch (node.type) {
			case 'Text': case 'Comment': case 'StyleSheet': case 'ImportDeclaration': case 'ImportExpression': case 'ExportAllDeclaration':
				return;
			// What rooms throw is worded where it is thrown.
			case 'NewExpression':
				if (/(Error|MediaQuery)$/.test(String((node.callee as { name?: string }).name))) return;
				break;
			case 'RegularElement':
				if (node.name === 'code') return;
				break;
			case 'Fragment':
				for (const child of node.nodes as Node[]) if (child.type === 'Text' && letters(String(child.data))) tell(child, String(child.data));
				break;
			case 'Attribute': {
				const name = String(node.name);
				if (LOOKS.test(name)) return;
				for (const part of list(node.value)) {
					if (!isNode(part)) continue;
					if (part.type === 'Text') {
						if (READ.test(name) ? letters(String(part.data)) : words(String(part.data))) tell(part, String(part.data));
					} else visit(part, READ.test(name));
				}
				return;
			}
			case 'StyleDirective': case 'ClassDirective':
				return;
			case 'Property': {
				const key = node.key as Node;
				visit(node.value as Node, read || READ.test(String(key.name ?? key.value)));
				return;
			}
			case 'Literal':
				if (typeof node.value === 'string' && (read ? letters(node.value) : words(node.value))) tell(node, node.value);
				return;
			case 'TemplateElement': {
				const text = String((node.value as { cooked: string }).cooked);
				if (read ? letters(text) : words(text)) tell(node, text);
				return;
			}
			case 'CallExpression':
				// An error's own class passes its message on.
				if ((node.callee as Node).type === 'Super') return;
				if (SELECTS.test(String((node.callee as { property?: { name?: string } }).property?.name))) return;
				for (const value of Object.values(node)) visitAll(value, false);
				return;
			// A comparison or an index is no text, whatever stands round it.
			case 'BinaryExpression': case 'MemberExpression': case 'ConditionalExpression': case 'ArrowFunctionExpression':
				for (const [key, value] of Object.entries(node)) visitAll(value, read && node.type === 'ConditionalExpression' && key !== 'test');
				return;
		}
		if (node.type.startsWith('TS') && !isNode(node.expression)) return;
		for (const [key, value] of Object.entries(node)) {
			if (/^(typeAnnotation|typeParameters|typeArguments|returnType|superTypeParameters|loc|metadata)$/.test(key)) continue;
			visitAll(value, read);
		}
	}
	function visitAll(value: unknown, read: boolean): void {
		for (const each of list(value)) if (isNode(each)) visit(each, read);
	}

	visit(parse(source, { modern: true }) as unknown as Node, false);
	return found;
}

/** The same for a TypeScript file. */
export function proseInTs(source: string): Prose[] {
	return proseInSvelte(`<script lang="ts">${source.replaceAll('</script', '<\\/script')}</script>`);
}
