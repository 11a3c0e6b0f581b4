/** All lessons. A folder with a `lesson.ts` is a lesson. */
import type { Lesson } from './lesson.ts';

const modules = import.meta.glob<{ default: Lesson }>('./*/lesson.ts', { eager: true });

export const lessons: Lesson[] = Object.values(modules).map((module) => module.default).sort((a, b) => a.slug.localeCompare(b.slug));

export function lessonBySlug(slug: string): Lesson | undefined {
	return lessons.find((lesson) => lesson.slug === slug);
}
