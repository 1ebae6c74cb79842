package verifiertest

import (
	"fmt"
	"testing"
)

// ForExample stands in for the test that a runnable example has not: what would end a test panics, and what a test would
// clean up lasts as long as the process.
func ForExample() testing.TB { return example{} }

type example struct{ testing.TB }

func (example) Helper()        {}
func (example) Cleanup(func()) {}

func (example) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func (example) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
