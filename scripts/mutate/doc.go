// Command mutate changes a package of this module in many small ways, one at a time, and says which changes its tests do
// not notice: each is a check that could be lost tomorrow without anybody hearing of it. docs/mutation.md says how to use
// it and how to read what it prints. It is no part of the product, and the work tree is never touched.
//
// All changes of one package are compiled into one test binary, each behind a number that an environment variable
// chooses (mutant schemata): a change costs one run of the tests that reach it, and neither compiling nor linking. What
// the compiler wants to be constant, and whole cases, are compiled alone.
package main
