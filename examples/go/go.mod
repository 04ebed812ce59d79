module example-go

go 1.25.0

require (
	github.com/google/uuid v1.6.0
	github.com/samyfodil/wazy v0.7.0
)

require golang.org/x/sys v0.44.0 // indirect
