# A protected environment loses nothing to a destroy: this goes before all else, and does not go. It is there once for
# each part, so that taking one part out breaks off before it begins too.

resource "terraform_data" "protection" {
  for_each = toset(concat(var.lake ? ["lake"] : [], var.event_log ? ["event log"] : [], var.event_processor ? ["event processor"] : [], var.star_schema ? ["star schema"] : []))

  input = var.deletion_protection

  provisioner "local-exec" {
    when    = destroy
    command = self.input ? "echo The ${each.key} is protected, so nothing of it was destroyed. Set deletion_protection to false and apply, then destroy. >&2 && exit 1" : "exit 0"
  }

  # What these depend on comes after them, so all that is made is here by itself or by another.
  depends_on = [
    aws_athena_named_query.lake,
    aws_cloudwatch_dashboard.chain,
    aws_cloudwatch_event_target.error_objects,
    aws_cloudwatch_metric_alarm.metric,
    aws_s3_bucket_notification.lake,
    aws_sns_topic_subscription.email,
    module.claims,
    module.delivery,
    module.event_log,
    module.event_processor,
    module.lake_bucket,
    module.star_schema,
    module.table,
    module.transform,
  ]
}
