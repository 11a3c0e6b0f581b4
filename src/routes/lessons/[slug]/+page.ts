import { error } from '@sveltejs/kit';
import { lessonBySlug, lessons } from '$lib/lessons/registry.ts';
import { words } from '$lib/ui/words/index.ts';
import type { EntryGenerator, PageLoad } from './$types.js';

export const entries: EntryGenerator = () => lessons.map(({ slug }) => ({ slug }));

export const load: PageLoad = ({ params }) => {
	const lesson = lessonBySlug(params.slug);
	if (!lesson) error(404, words.lessons.none(params.slug));
	return { lesson };
};
