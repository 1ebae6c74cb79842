package storage

// PlaceOf is what the seal of a record covers beside its data.
func PlaceOf(r Record) string { return place(r) }
