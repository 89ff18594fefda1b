# Provisioned units that follow the load. AWS scales them by a role of its own, which it makes itself.

locals {
  # Claiming reads nothing; a redrive looks claims up.
  reads = { minimum = 1, maximum = 100 }

  units = var.units == null ? {} : { Write = var.units, Read = local.reads }
}

# A floor by the clock changes the minimum that AWS has; only another setting makes the target anew.
resource "terraform_data" "units" {
  input = var.units
}

resource "aws_appautoscaling_target" "units" {
  for_each = local.units

  service_namespace  = "dynamodb"
  resource_id        = "table/${aws_dynamodb_table.claims.name}"
  scalable_dimension = "dynamodb:table:${each.key}CapacityUnits"
  min_capacity       = each.value.minimum
  max_capacity       = each.value.maximum

  lifecycle {
    ignore_changes       = [min_capacity]
    replace_triggered_by = [terraform_data.units]
  }
}

resource "aws_appautoscaling_policy" "units" {
  for_each = aws_appautoscaling_target.units

  name               = "${var.name}-${lower(each.key)}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = each.value.service_namespace
  resource_id        = each.value.resource_id
  scalable_dimension = each.value.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = var.units.used_percent

    predefined_metric_specification { predefined_metric_type = "DynamoDB${each.key}CapacityUtilization" }
  }

  # They go with their target.
  lifecycle { replace_triggered_by = [aws_appautoscaling_target.units] }
}

resource "aws_appautoscaling_scheduled_action" "floor" {
  for_each = var.units == null ? {} : var.floors

  name               = "${var.name}-${each.key}"
  service_namespace  = aws_appautoscaling_target.units["Write"].service_namespace
  resource_id        = aws_appautoscaling_target.units["Write"].resource_id
  scalable_dimension = aws_appautoscaling_target.units["Write"].scalable_dimension
  schedule           = each.value.schedule
  timezone           = each.value.time_zone

  scalable_target_action { min_capacity = each.value.minimum }

  lifecycle { replace_triggered_by = [aws_appautoscaling_target.units] }
}
