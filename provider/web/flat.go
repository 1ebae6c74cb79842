package web

import (
	"reflect"
	"sync"
)

// flattener puts the fields of embedded structs beside those of the struct that embeds them. A template looks each field
// up by its name whenever it shows it: among the fields of one struct that compares names, and where structs are embedded
// it searches level by level, with maps (reflect, structType.FieldByNameFunc), for which a recovery would allocate 500 times.
type flattener struct{ known sync.Map } // from the type of a page's data to its *flatType

// flatType is how a type is flattened.
type flatType struct {
	to   reflect.Type
	from [][]int // of each field, the way to it
}

// flat returns the data of a page for its template: a pointer to a struct with the same fields, and none embedded. Data
// with methods, which would be lost, is returned as it is.
func (f *flattener) flat(data Data) any {
	source := reflect.ValueOf(data).Elem()
	known, ok := f.known.Load(source.Type())
	if !ok {
		known, _ = f.known.LoadOrStore(source.Type(), flatten(source.Type()))
	}
	layout, ok := known.(*flatType)
	if !ok || layout.to == nil {
		return data
	}
	next := reflect.New(layout.to)
	for i, from := range layout.from {
		next.Elem().Field(i).Set(source.FieldByIndex(from))
	}
	return next.Interface()
}

// flatten returns how a struct is flattened; to is nil where there is nothing to do, or where it may not be done.
func flatten(t reflect.Type) *flatType {
	if reflect.PointerTo(t).NumMethod() > 0 {
		return &flatType{}
	}
	var fields []reflect.StructField
	var layout flatType
	embeds := false
	for _, field := range reflect.VisibleFields(t) {
		embeds = embeds || field.Anonymous
		if field.IsExported() && !field.Anonymous {
			fields = append(fields, reflect.StructField{Name: field.Name, Type: field.Type})
			layout.from = append(layout.from, field.Index)
		}
	}
	if embeds {
		layout.to = reflect.StructOf(fields)
	}
	return &layout
}
