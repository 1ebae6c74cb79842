package storage_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/recovery"
)

// A stored transaction has numbers in place of the names of its fields, which were a fifth of it. A number that is given to
// another field would have records of the version before misread, so they are listed: a new field gets a new one.
func TestTransactionsAreStoredUnderTheirNumbers(t *testing.T) {
	want, err := os.ReadFile("testdata/transaction.numbers")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	seen := map[reflect.Type]bool{}
	var add func(of reflect.Type)
	add = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of == reflect.TypeFor[time.Time]() || seen[of] {
			return
		}
		seen[of] = true
		numbers := map[string]string{}
		for _, field := range reflect.VisibleFields(of) {
			if !field.IsExported() || field.Anonymous {
				continue
			}
			number, options, _ := strings.Cut(field.Tag.Get("cbor"), ",")
			if number == "-" {
				continue
			}
			if other, taken := numbers[number]; taken || !strings.HasPrefix(options, "keyasint") {
				t.Errorf("%s.%s: number %q %s is no number, or that of %s", of.Name(), field.Name, number, options, other)
			}
			numbers[number] = field.Name
			got = append(got, fmt.Sprintf("%s.%s %s", of.Name(), field.Name, number))
			add(field.Type)
		}
	}
	add(reflect.TypeFor[recovery.Transaction]())
	slices.Sort(got)
	if text := strings.Join(got, "\n") + "\n"; text != string(want) {
		t.Errorf("the numbers are\n%s\nwant\n%s", text, want)
	}
}
