package did

import "slices"

const (
	linkedDomains = "LinkedDomains" // Well Known DID Configuration §5
	maxOrigins    = 16
)

// addService takes the origins of a LinkedDomains service into the document. Other services, and endpoints of other
// shapes, are no mistake: they are for others.
func (d *Document) addService(value any) {
	service, _ := value.(map[string]any)
	kinds, _ := service["type"].([]any)
	if service["type"] == linkedDomains || slices.Contains(kinds, any(linkedDomains)) {
		d.addOrigins(service["serviceEndpoint"])
	}
}

// addOrigins reads an endpoint: an origin, an object with `origins`, or an array of these (DID Core §5.4).
func (d *Document) addOrigins(endpoint any) {
	switch endpoint := endpoint.(type) {
	case string:
		if len(d.origins) < maxOrigins {
			d.origins = append(d.origins, endpoint)
		}
	case []any:
		for _, element := range endpoint {
			d.addOrigins(element)
		}
	case map[string]any:
		d.addOrigins(endpoint["origins"])
	}
}
