pub async fn run(
    context: Context,
    seed: u64,
    models: flash::State<Models<'static>>,
    clock: Ticks,
    state: State,
) -> Result<(), flash::Error> {
    models.run(context, seed, clock, state).await
}
/// Remote handle of [`run()`](fn@run).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub struct run {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &GPU;
    const _: () = __flash::check_queue(__RESOURCE);
    const __SLOTS: (__flash::Slot<u64>, __flash::Slot<State>) = (
        __flash::slot("seed", "u64", &__flash::Json),
        __flash::slot("state", "State", &__flash::Json),
    );
    const __INJECTED: (
        __flash::Injected<Context>,
        __flash::Injected<flash::State<Models<'static>>>,
        __flash::Injected<Ticks>,
    ) = (
        __flash::injected(&__flash::Injector),
        __flash::injected(&__flash::Injector),
        __flash::injected(&__flash::Injector),
    );
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __flash::Remote for run {
        const META: &'static __flash::Meta = &__flash::Meta::new(
                "run",
                __RESOURCE,
                "GPU",
            )
            .at(
                ::core::module_path!(),
                ::core::file!(),
                ::core::line!(),
                ::core::column!(),
            )
            .is_async(true)
            .returns(&__flash::Returned(Self::RETURNS))
            .params(&[__SLOTS.0.param(), __SLOTS.1.param()])
            .needs(&[&__INJECTED.0, &__INJECTED.1, &__INJECTED.2])
            .schemas(__flash::schemas!([u64, State] Result < (), flash::Error >));
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
        type Door = __flash::Queue;
        type Args = (u64, State);
        type Return = Result<(), flash::Error>;
        fn decode(
            fields: &mut __flash::Fields<'_>,
        ) -> ::core::option::Option<Self::Args> {
            let __a0 = __SLOTS.0.take(fields);
            let __a1 = __SLOTS.1.take(fields);
            ::core::option::Option::Some((__a0?, __a1?))
        }
        fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
            let (__a0, __a1) = args;
            __SLOTS.0.put(fields, __a0);
            __SLOTS.1.put(fields, __a1);
        }
        fn invoke(
            args: Self::Args,
            scope: __flash::Scope,
            form: __flash::ReplyForm,
        ) -> __flash::Invocation {
            ::std::boxed::Box::pin(async move {
                let (__a0, __a1) = args;
                let __i0 = __INJECTED.0.get(&scope).await?;
                let __i1 = __INJECTED.1.get(&scope).await?;
                let __i2 = __INJECTED.2.get(&scope).await?;
                __flash::Returns::encode(
                    Self::RETURNS,
                    run(__i0, __a0, __i1, __i2, __a1).await,
                    form,
                )
            })
        }
    }
    impl run {
        /// Calls [`run()`](fn@run) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn remote(seed: u64, state: State) -> __flash::Call<Self> {
            __flash::Call::new((seed, state))
        }
    }
    __flash::register!(run);
};
