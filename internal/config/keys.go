package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// keysOf returns the keys of a configuration struct. A list's elements are written as [].
func keysOf(t reflect.Type, prefix string) []string {
	switch t.Kind() {
	case reflect.Pointer:
		return keysOf(t.Elem(), prefix)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return keysOf(t.Elem(), prefix+"[]")
		}
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			break
		}
		var keys []string
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("koanf"), ",")
			if name == "" {
				continue
			}
			path := name
			if prefix != "" {
				path = prefix + "." + name
			}
			keys = append(append(keys, path), keysOf(t.Field(i).Type, path)...)
		}
		return keys
	}
	return nil
}

// unknownKeys returns the keys of a decoded document that are not among the known ones, with the indexes of lists.
func unknownKeys(node any, path string, known []string) (unknown []string) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			below := key
			if path != "" {
				below = path + "." + key
			}
			if !slices.Contains(known, withoutIndexes(below)) {
				unknown = append(unknown, below)
				continue
			}
			if _, keys := value.(map[string]any); keys && !takesKeys(below, known) {
				continue // told as a value of the wrong type
			}
			unknown = append(unknown, unknownKeys(value, below, known)...)
		}
	case []any:
		for i, value := range node {
			unknown = append(unknown, unknownKeys(value, fmt.Sprintf("%s[%d]", path, i), known)...)
		}
	}
	return unknown
}

// keysWithoutValue returns the keys of a decoded document that have no value (null in YAML 1.2.2 §10.2.1.1), and the places
// of lists that hold none. They would be as if they were not there: `exclude_groups:` over lines that were commented out
// excludes nobody, and `enabled:` enables.
func keysWithoutValue(node any, path string) (keys []string) {
	switch node := node.(type) {
	case nil:
		return []string{path}
	case map[string]any:
		for key, value := range node {
			below := key
			if path != "" {
				below = path + "." + key
			}
			keys = append(keys, keysWithoutValue(value, below)...)
		}
	case []any:
		for i, value := range node {
			keys = append(keys, keysWithoutValue(value, fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return keys
}

// takesKeys reports whether there are keys below a key.
func takesKeys(key string, known []string) bool {
	below := withoutIndexes(key) + "."
	return slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, below) })
}

func withoutIndexes(key string) string {
	return regexp.MustCompile(`\[\d+\]`).ReplaceAllString(key, "[]")
}

// Nearest returns the known name that a misspelt one was probably meant as, or "" if none is like it.
func Nearest(name string, known []string) string {
	const like = 3 // letters that differ, but fewer than a short name has
	best, distance := "", min(like, len(name)-1)+1
	for _, candidate := range known {
		if d := editDistance(name, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// editDistance returns the Levenshtein distance: how many bytes to insert, delete or replace to get from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
