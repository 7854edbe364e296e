// Where things stand in the memory that JavaScript and the kernels share, in bytes. AssemblyScript
// compiles this file too, so that both languages read the same numbers.

/** Every binary keeps its constants in a region of this size; the first region stays empty. */
export const REGION = 4096;

/** What threads agree on stands behind the regions of the binaries. */
export const CONTROL = 24576;

/** Rows of one run of a kernel, at most. */
export const MOST_ROWS = 1024;

// What one run of a kernel reads and writes beside its rows: the description of the call, then a
// table of labels, of losses, of weights and of temperatures.
export const CALL = 28672;
export const LABEL_TABLE = 28800;
export const LOSS_TABLE = 32896;
export const WEIGHT_TABLE = 41088;
export const TEMPERATURE_TABLE = 57472;

/** Workspaces and matrices start here. */
export const FIRST_ADDRESS = 65664;

// The description of a call on rows: addresses and whole numbers in 32 bits, then doubles.
// Matrices are dense: a row starts `columns` numbers behind the row before it.
export const STUDENT = 0;
export const TEACHER = 4;
/** 0 where no gradient is wanted. */
export const GRADIENT = 8;
/** A double for each row. */
export const LOSSES = 12;
/** 32 bits for each row: a class or one of the marks below. */
export const LABELS = 16;
/** Two doubles for each row: the weights of its soft and of its hard loss. */
export const WEIGHTS = 20;
/** Rows of label distributions; 0 where there are none. */
export const DISTRIBUTIONS = 24;
export const COLUMNS = 28;
/** 1 where the gradient is added to what is there. */
export const ADDS = 32;
/** 1 where both sides are standardized before the temperature. */
export const STANDARDIZES = 36;
export const TEMPERATURE = 40;
/** What every derivative is multiplied by. */
export const SCALE = 48;
/** Two options of the loss, whatever it makes of them. */
export const OPTION = 56;
export const OTHER_OPTION = 64;
/**
 * Classes that a sparse teacher kept, in 32 bits each, −1 for none: their number in a row, and
 * where they stand.
 */
export const KEPT_COUNT = 72;
export const KEPT = 76;
/** Columns of the teacher. */
export const TEACHER_COLUMNS = 80;
/** A row of parameters of the loss, one for each column; 0 where there is none. */
export const PARAMETERS = 84;
/** 1 where both sides are compared in descending order. */
export const RANKS = 88;
/** Numbers of each column of the batch; 0 where there are none. */
export const PER_COLUMN = 92;
/** A double for each row, in place of the temperature of the call; 0 where all rows have that. */
export const TEMPERATURES = 96;
/** The temperature of the teacher; 0 where it is the student's. */
export const TEACHER_TEMPERATURE = 104;

// Marks of a row that has no class.
export const UNLABELED_ROW = -1;
/** The row takes no part: nothing of it is read, its loss and its gradient are 0. */
export const EXCLUDED_ROW = -2;
/** The label is a row of the distributions. */
export const DISTRIBUTION_ROW = -3;

// The workspace of a call: constants, records of rows, a patch, then rows of numbers.

/** Rows of up to this many bytes in all are worked on together, so that they stay in the cache. */
export const BATCH_BYTES = 8192;

/** Rows that are worked on together, at most. */
export const BATCH_ROWS = 64;

/** Constants that loops read. */
export const CONSTANT_BYTES = 304;
export const RECORD_BYTES = 128;
export const PATCH_BYTES = 512;

/** For ranks: how often each digit of 8 bits stands at each of up to 8 places. */
export const COUNT_BYTES = 8192;

// Rows whose columns are looked at together.
export const BLOCK_BYTES = 65536;
export const BLOCK_ROWS = 16;
export const LEAST_BLOCK_ROWS = 4;
/** What stands between two of them, so that a column does not stand in one set of the cache. */
export const BLOCK_GAP = 64;

/** Numbers of a vector start at a multiple of this. */
export const VECTOR_BYTES = 16;

// The description of a product of matrices, sums = A · B or sums += A · B: addresses, then whole
// numbers, in 32 bits each. Factors come as panels of lines (rows of A, columns of B), one step
// along the inner dimension after another.
export const A_PANELS = 0;
export const B_PANELS = 4;
/** Doubles, [rows][columns]. */
export const SUMS = 8;
/** TILE_BYTES of scratch. */
export const TILE = 12;
export const ROW_LINES = 16;
export const COLUMN_LINES = 20;
export const STEPS = 24;
/** 1 where B is the transpose of A, and what is below the diagonal may be left out. */
export const IS_GRAM = 28;
/** 1 where the sums are added to what is there. */
export const ADDS_STEPS = 32;

/** Bytes of one step of a panel: two vectors. */
export const PANEL_BYTES = 32;

/** Sums of a tile in the format of the factors: four rows as wide as a panel. */
export const TILE_BYTES = 128;

/** Bytes of a line of a panel at most: a panel of B then stays in the L1 cache. */
export const LINE_BYTES = 1024;

// The description of a product of float32 matrices where they stand, result = left · right or
// result += left · right: addresses and whole numbers in 32 bits each. The result is dense; of the
// factors, a transpose may be meant.
export const LEFT = 0;
/** Bytes from a row to the next one, and from a column to the next one. */
export const LEFT_ROW = 4;
export const LEFT_COLUMN = 8;
export const RIGHT = 12;
export const RIGHT_ROW = 16;
export const RIGHT_COLUMN = 20;
export const RESULT = 24;
export const RESULT_ROWS = 28;
export const RESULT_COLUMNS = 32;
/** Columns of the left factor, rows of the right one. */
export const INNER = 36;
/** 1 where the product is added to the result. */
export const ADDS_PRODUCT = 40;
/** 1 where tiny sums are exact, since the left factor is 0. */
export const IS_ZERO = 44;

// The result is computed in blocks that stay in the L2 cache, with their panels.
export const RESULT_BLOCK_ROWS = 128;
export const RESULT_BLOCK_COLUMNS = 256;

// The workspace of a product: a description for the kernel of panels, its tile, panels, and sums in
// doubles.
export const TILE_PLACE = 64;
export const LEFT_PLACE = 192;
/** Behind RESULT_BLOCK_ROWS lines. */
export const RIGHT_PLACE = 131264;
/** Behind RESULT_BLOCK_COLUMNS lines. */
export const SUMS_PLACE = 393408;
/** Sums of one panel of columns. */
export const PANEL_SUMS_PLACE = 655552;
export const PRODUCT_WORKSPACE = 663744;
