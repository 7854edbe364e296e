import { writeTables } from './tables.js';

writeTables();
