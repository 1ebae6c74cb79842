//go:build race

package costtest

// raceFactor: the race detector slows Go code down, and not the assembly of a signature.
const raceFactor = 20
