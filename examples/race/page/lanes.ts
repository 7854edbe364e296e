/** `labels`: taught by the labels alone; `taught`: taught by the recipe of the visitor. */
export type Lane = 'labels' | 'taught';
