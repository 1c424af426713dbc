"""The Pulumi plugin `pulumi-resource-alien`: resources that no native provider serves."""
