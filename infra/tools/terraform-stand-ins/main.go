// Stand-ins for the Terraform providers hashicorp/kubernetes and hashicorp/helm, where Terraform's registry can't be
// reached: they declare what infra/terraform/kubernetes uses of the real ones' schemas and can do nothing. So `validate` and
// `test` with mock providers find every wrong reference, type and value of ours; that the real ones have these attributes is
// taken from their documentation. The file's name says which one it is: terraform-provider-kubernetes_v…
package main

import (
	"context"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	providerschema "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Of kubernetes 3.0: one block with the object's name, namespace and labels.
var metadata = map[string]schema.Block{
	"metadata": schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
		"name":        schema.StringAttribute{Optional: true, Computed: true},
		"namespace":   schema.StringAttribute{Optional: true},
		"labels":      schema.MapAttribute{Optional: true, ElementType: types.StringType},
		"annotations": schema.MapAttribute{Optional: true, ElementType: types.StringType},
	}}},
}

var resources = map[string]map[string]schema.Schema{
	"kubernetes": {
		"kubernetes_namespace_v1": {Blocks: metadata, Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{Computed: true},
		}},
		"kubernetes_config_map_v1": {Blocks: metadata, Attributes: map[string]schema.Attribute{
			"id":   schema.StringAttribute{Computed: true},
			"data": schema.MapAttribute{Optional: true, ElementType: types.StringType},
		}},
		"kubernetes_secret_v1": {Blocks: metadata, Attributes: map[string]schema.Attribute{
			"id":               schema.StringAttribute{Computed: true},
			"type":             schema.StringAttribute{Optional: true, Computed: true},
			"data":             schema.MapAttribute{Optional: true, Sensitive: true, ElementType: types.StringType},
			"data_wo":          schema.MapAttribute{Optional: true, Sensitive: true, WriteOnly: true, ElementType: types.StringType},
			"data_wo_revision": schema.Int64Attribute{Optional: true},
		}},
	},
	"helm": {
		"helm_release": {Attributes: map[string]schema.Attribute{
			"id":        schema.StringAttribute{Computed: true},
			"name":      schema.StringAttribute{Required: true},
			"namespace": schema.StringAttribute{Optional: true, Computed: true},
			"chart":     schema.StringAttribute{Required: true},
			"version":   schema.StringAttribute{Optional: true, Computed: true},
			"values":    schema.ListAttribute{Optional: true, ElementType: types.StringType},
			"atomic":    schema.BoolAttribute{Optional: true, Computed: true},
			"wait":      schema.BoolAttribute{Optional: true, Computed: true},
			"timeout":   schema.Int64Attribute{Optional: true, Computed: true},
		}},
	},
}

var exec = providerschema.SingleNestedAttribute{Optional: true, Attributes: map[string]providerschema.Attribute{
	"api_version": providerschema.StringAttribute{Required: true},
	"command":     providerschema.StringAttribute{Required: true},
	"args":        providerschema.ListAttribute{Optional: true, ElementType: types.StringType},
}}

var connection = map[string]providerschema.Attribute{
	"config_path":            providerschema.StringAttribute{Optional: true},
	"host":                   providerschema.StringAttribute{Optional: true},
	"cluster_ca_certificate": providerschema.StringAttribute{Optional: true},
}

// In kubernetes the way to a cluster is the provider's own attributes and blocks, in helm 3 one attribute of it.
var providers = map[string]providerschema.Schema{
	"kubernetes": {
		Attributes: connection,
		Blocks: map[string]providerschema.Block{
			"exec": providerschema.ListNestedBlock{NestedObject: providerschema.NestedBlockObject{Attributes: exec.Attributes}},
		},
	},
	"helm": {Attributes: map[string]providerschema.Attribute{
		"kubernetes": providerschema.SingleNestedAttribute{Optional: true, Attributes: map[string]providerschema.Attribute{
			"config_path":            connection["config_path"],
			"host":                   connection["host"],
			"cluster_ca_certificate": connection["cluster_ca_certificate"],
			"exec":                   exec,
		}},
	}},
}

type standIn struct{ name string }

func (p standIn) Metadata(_ context.Context, _ provider.MetadataRequest, answer *provider.MetadataResponse) {
	answer.TypeName = p.name
}
func (p standIn) Schema(_ context.Context, _ provider.SchemaRequest, answer *provider.SchemaResponse) {
	answer.Schema = providers[p.name]
}
func (standIn) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}
func (standIn) DataSources(context.Context) []func() datasource.DataSource                        { return nil }
func (p standIn) Resources(context.Context) []func() resource.Resource {
	var all []func() resource.Resource
	for name, schema := range resources[p.name] {
		all = append(all, func() resource.Resource { return thing{name, schema} })
	}
	return all
}

type thing struct {
	name   string
	schema schema.Schema
}

func (t thing) Metadata(_ context.Context, _ resource.MetadataRequest, answer *resource.MetadataResponse) {
	answer.TypeName = t.name
}
func (t thing) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	answer.Schema = t.schema
}
func (t thing) Create(_ context.Context, _ resource.CreateRequest, answer *resource.CreateResponse) {
	answer.Diagnostics.AddError("This is a stand-in", "It can't make a "+t.name+": take the real provider.")
}
func (thing) Read(context.Context, resource.ReadRequest, *resource.ReadResponse)       {}
func (thing) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}
func (thing) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

func main() {
	name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(os.Args[0]), "terraform-provider-"), "_")
	if _, known := providers[name]; !known {
		log.Fatalf("call me terraform-provider-kubernetes_… or terraform-provider-helm_…, not %s", os.Args[0])
	}
	// Of use for debuggers only: which provider this is, Terraform knows from the folder that it finds it in.
	address := "stand-in.invalid/hashicorp/" + name
	err := providerserver.Serve(context.Background(), func() provider.Provider { return standIn{name} },
		providerserver.ServeOpts{Address: address})
	if err != nil {
		log.Fatal(err)
	}
}
