// Package golden compares JSON with a sample from a vendor's public documentation.
package golden

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
)

// Compare compares decoded JSON with a file, in which a text in braces stands for any text or number. It returns what
// differs, or "".
func Compare(samples fs.FS, file string, got any) string {
	text, err := fs.ReadFile(samples, file)
	if err != nil {
		return err.Error()
	}
	var want any
	if err := json.Unmarshal(text, &want); err != nil {
		return err.Error()
	}
	return compare(want, got, "$")
}

func compare(want, got any, at string) string {
	if text, ok := want.(string); ok && strings.HasPrefix(text, "{") {
		switch got.(type) {
		case string, float64:
			return ""
		}
	}
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok || len(object) != len(want) {
			return fmt.Sprintf("%s has other members: %v", at, got)
		}
		for name := range want {
			if problem := compare(want[name], object[name], at+"."+name); problem != "" {
				return problem
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%s has other elements: %v", at, got)
		}
		for i := range want {
			if problem := compare(want[i], list[i], fmt.Sprintf("%s[%d]", at, i)); problem != "" {
				return problem
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("%s is %v, and not %v", at, got, want)
	}
	return ""
}
