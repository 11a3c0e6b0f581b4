import { opSuites } from './suites.ts';

opSuites('webgpu');
