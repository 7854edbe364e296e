// Layout of the memory that JavaScript and the kernels share: addresses and sizes in bytes.
// AssemblyScript compiles this file too, so that both languages use the same numbers.

/** Size of the region in which one binary keeps its constants. The first region stays empty. */
export const REGION = 4096;

/** Address of the numbers by which threads synchronise, behind the regions of the binaries. */
export const CONTROL = 24576;

/** Largest number of rows of one run of a kernel: the tables below have this many rows. */
export const MAX_ROWS = 1024;

// One run of a kernel reads the description of the call, then tables of labels, losses, weights and
// temperatures, with one entry for each row.
/** Address of the description of the call. */
export const CALL = 28672;
export const LABEL_TABLE = 28800;
export const LOSS_TABLE = 32896;
export const WEIGHT_TABLE = 41088;
export const TEMPERATURE_TABLE = 57472;

/** First address of workspaces and matrices, behind the tables. */
export const FIRST_ADDRESS = 65664;

// Offsets in the description of a call on rows: addresses and integers in 32 bits, then doubles.
// Matrices are contiguous: a row starts `columns` numbers after the row before it.
export const STUDENT = 0;
export const TEACHER = 4;
/** Address of the gradient; 0 if no gradient is wanted. */
export const GRADIENT = 8;
/** Address of the losses, a double for each row. */
export const LOSSES = 12;
/** Address of the labels, 32 bits for each row: a class or one of the marks below. */
export const LABELS = 16;
/** Address of the weights, two doubles for each row: of its soft and of its hard loss. */
export const WEIGHTS = 20;
/** Address of the label distributions; 0 if there are none. */
export const DISTRIBUTIONS = 24;
export const COLUMNS = 28;
/** 1 if the gradient is added to the numbers in its buffer. */
export const ADDS = 32;
/** 1 if both sides are standardized before the temperature. */
export const STANDARDIZES = 36;
export const TEMPERATURE = 40;
/** Factor of every derivative. */
export const SCALE = 48;
/** Two options of the loss; their meaning depends on the kernel. */
export const OPTION = 56;
export const OTHER_OPTION = 64;
/** Number of classes that a sparse teacher keeps in each row. */
export const KEPT_COUNT = 72;
/** Address of the kept classes, 32 bits each; −1 for none. */
export const KEPT = 76;
/** Number of columns of the teacher. */
export const TEACHER_COLUMNS = 80;
/** Address of the parameters of the loss, one for each column; 0 if there are none. */
export const PARAMETERS = 84;
/** 1 if both sides are sorted in descending order before the comparison. */
export const RANKS = 88;
/** Address of the table with numbers for each column; 0 if there is none. */
export const PER_COLUMN = 92;
/**
 * Address of the temperatures, a double for each row; 0 if all rows have the temperature of the
 * call.
 */
export const TEMPERATURES = 96;
/** Temperature of the teacher; 0 if it is the student's. */
export const TEACHER_TEMPERATURE = 104;

// Marks in the table of labels.
/** The row has no label. */
export const UNLABELED_ROW = -1;
/** The row is excluded: it is not read, its loss and its gradient are 0. */
export const EXCLUDED_ROW = -2;
/** The label is a row of the distributions. */
export const DISTRIBUTION_ROW = -3;

// Workspace of a call on rows: constants, records of rows, a patch, then rows of numbers.

/** Bytes of the rows that a kernel computes together: 8 KiB, so that they stay in the L1 cache. */
export const BATCH_BYTES = 8192;

/** Largest number of rows that a kernel computes together. */
export const BATCH_ROWS = 64;

/** Bytes of the constants that loops read from memory. */
export const CONSTANT_BYTES = 304;
/** Bytes of the record of one row: its maxima, sums and temperatures. */
export const RECORD_BYTES = 128;
export const PATCH_BYTES = 512;

/**
 * Bytes of the digit counts of a radix sort: 256 counts of 32 bits for each of 8 digits of 8 bits.
 */
export const COUNT_BYTES = 8192;

// A block of rows that kernels of columns read column by column.
export const BLOCK_BYTES = 65536;
export const BLOCK_ROWS = 16;
export const MIN_BLOCK_ROWS = 4;
/**
 * Bytes between two rows of a block, so that the elements of a column lie in different cache sets.
 */
export const BLOCK_GAP = 64;

/** Alignment and size of a vector. */
export const VECTOR_BYTES = 16;

// Offsets in the description of a product of matrices, sums = A · B or sums += A · B: addresses,
// then integers, in 32 bits each. Both factors are packed into panels. A panel holds some lines
// (rows of A, columns of B), one step along the inner dimension after another.
export const A_PANELS = 0;
export const B_PANELS = 4;
/** Address of the sums, doubles in the shape [rows, columns]. */
export const SUMS = 8;
/** Address of a scratch buffer of TILE_BYTES. */
export const TILE = 12;
/** Number of rows of A. */
export const ROW_LINES = 16;
/** Number of columns of B. */
export const COLUMN_LINES = 20;
/** Size of the inner dimension. */
export const STEPS = 24;
/** 1 if B is the transpose of A: sums below the diagonal may be left out. */
export const IS_GRAM = 28;
/** 1 if the products are added to the sums in their buffer. */
export const ADDS_STEPS = 32;

/** Bytes of one step of a panel: two vectors. */
export const PANEL_BYTES = 32;

/** Bytes of the sums of a tile in the format of the factors: four rows as wide as a panel. */
export const TILE_BYTES = 128;

/** Largest number of bytes of a line of a panel, so that a panel of B stays in the L1 cache. */
export const LINE_BYTES = 1024;

// Offsets in the description of a product of float32 matrices in place, result = left · right or
// result += left · right: addresses and integers in 32 bits each. The result is contiguous. The
// strides of a factor may describe a transpose.
export const LEFT = 0;
/** Strides in bytes: from a row to the next row, and from a column to the next column. */
export const LEFT_ROW = 4;
export const LEFT_COLUMN = 8;
export const RIGHT = 12;
export const RIGHT_ROW = 16;
export const RIGHT_COLUMN = 20;
export const RESULT = 24;
export const RESULT_ROWS = 28;
export const RESULT_COLUMNS = 32;
/** Number of columns of the left factor, and of rows of the right factor. */
export const INNER = 36;
/** 1 if the product is added to the result. */
export const ADDS_PRODUCT = 40;
/** 1 if tiny sums are exact, because the left factor is 0. */
export const IS_ZERO = 44;

// Size of a block of the result. A block and its panels stay in the L2 cache.
export const RESULT_BLOCK_ROWS = 128;
export const RESULT_BLOCK_COLUMNS = 256;

// Offsets in the workspace of a product in place: a description for the kernel of panels, its tile,
// the panels of both factors, and the sums in doubles.
export const TILE_PLACE = 64;
export const LEFT_PLACE = 192;
/** After RESULT_BLOCK_ROWS lines of the left factor. */
export const RIGHT_PLACE = 131264;
/** After RESULT_BLOCK_COLUMNS lines of the right factor. */
export const SUMS_PLACE = 393408;
/** Offset of the sums of one panel of columns. */
export const PANEL_SUMS_PLACE = 655552;
export const PRODUCT_WORKSPACE = 663744;
